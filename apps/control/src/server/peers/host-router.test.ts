import type { HostFacts } from "@flotilla/protocol";
import type { EngineResponse, HostChangeKind } from "@flotilla/services";
import { describe, expect, test } from "vitest";
import { HostRouter, type RouterOptions } from "./host-router.ts";
import { parseNews } from "./plane-registry.ts";

type Change = { hostId: string; kind: HostChangeKind };
const facts = { hostname: "h" } as HostFacts;
const host = { id: "h", name: "web-1" };

/** A router before a hub and peers that the test moves. */
function scene() {
  const here = new Map<string, { hostId: string; epoch: number; request: () => Promise<string> }>();
  const there = new Map<string, { plane: string; epoch: number; isReached: boolean }>();
  const unreached = new Map<string, string>();
  const told: string[] = [];
  const asked: string[] = [];
  const listeners: ((change: Change) => void)[] = [];
  const state = { proof: undefined as Error | undefined };
  const onChange = (listener: (change: Change) => void): (() => void) => {
    listeners.push(listener);
    return () => listeners.splice(listeners.indexOf(listener), 1);
  };
  const hub = {
    find: (id: string) => here.get(id),
    state: (id: string) => ({ isOnline: here.has(id), stats: null, facts: null, lastSeenAtMs: 7, isElsewhere: false }),
    drop: (id: string) => void asked.push(`drop here ${id}`),
    onChange,
  };
  const peers = {
    find: (id: string) => {
      const found = there.get(id);
      if (found === undefined || !found.isReached) return undefined;
      const plane = { id: found.plane, url: `http://${found.plane}`, publicKey: "" };
      return { link: { plane, session: {} }, host: { epoch: found.epoch, facts, stats: null, heardAtMs: 9 } };
    },
    findUnreached: (id: string) => {
      const plane = unreached.get(id);
      return plane === undefined ? undefined : { id: plane, url: `http://${plane}`, publicKey: "" };
    },
    prove: async () => {
      asked.push("prove");
      if (state.proof !== undefined) throw state.proof;
    },
    drop: (id: string) => void asked.push(`drop there ${id}`),
    onChange,
  };
  const router = new HostRouter({ hub, peers, describeCaller: () => undefined } as unknown as RouterOptions);
  router.onChange(({ hostId, kind }) => told.push(`${hostId} ${kind}`));
  const say = (kind: HostChangeKind): void =>
    listeners.slice().forEach((listener, index) => index === 0 && listener({ hostId: "h", kind }));
  const connect = (epoch: number): void => void here.set("h", { hostId: "h", epoch, request: async () => `here ${epoch}` });
  return { router, here, there, unreached, told, asked, say, connect, state };
}

describe("where a host is", () => {
  test("the connection of the higher epoch is the host's, whichever end has it", () => {
    const { router, there, connect } = scene();
    connect(3);
    there.set("h", { plane: "b", epoch: 2, isReached: true });
    expect(router.get(host).epoch).toBe(3);
    expect(router.state("h")).toMatchObject({ isOnline: true, isElsewhere: false });
    there.set("h", { plane: "b", epoch: 4, isReached: true });
    expect(router.get(host).epoch).toBe(4);
    expect(router.state("h")).toEqual({ isOnline: true, stats: null, facts, lastSeenAtMs: 9, isElsewhere: true });
  });

  test("nowhere is an error that says so, and one that names a control plane which does not answer", () => {
    const { router, unreached } = scene();
    expect(() => router.get(host)).toThrow("host web-1 is not connected");
    expect(router.state("h")).toMatchObject({ isOnline: false, isElsewhere: false, lastSeenAtMs: 7 });
    unreached.set("h", "b");
    expect(() => router.get(host)).toThrow("host web-1 is connected to the control plane at http://b, which does not answer");
    expect(router.state("h")).toMatchObject({ isOnline: false, isElsewhere: true, lastSeenAtMs: null });
  });

  test("a call on a connection that is here is made only after it was proved to be the host's", async () => {
    const { router, connect, asked, state } = scene();
    connect(1);
    const request = { method: "GET", path: "/", namespace: "n" };
    expect(await (router.get(host).request(request) as unknown as Promise<string | EngineResponse>)).toBe("here 1");
    state.proof = new Error("not ours");
    await expect(router.get(host).request(request)).rejects.toThrow("not ours");
    await expect(router.get(host).openRaw(request)).rejects.toThrow("not ours");
    expect(asked).toEqual(["prove", "prove", "prove"]);
  });

  test("a host that is dropped is dropped wherever it is", () => {
    const { router, asked } = scene();
    router.drop("h", "removed");
    expect(asked).toEqual(["drop here h", "drop there h"]);
  });
});

describe("what is told of a host", () => {
  test("one that moves comes anew and never goes, in whatever order the news come", () => {
    const { told, say, connect, here, there } = scene();
    connect(1);
    say("online");
    there.set("h", { plane: "b", epoch: 2, isReached: true });
    say("online");
    here.delete("h");
    say("offline");
    expect(told).toEqual(["h online", "h online"]);
    // Back, and the old news of its going comes late.
    connect(3);
    say("online");
    there.delete("h");
    say("offline");
    expect(told).toEqual(["h online", "h online", "h online"]);
    here.delete("h");
    say("offline");
    expect(told.at(-1)).toBe("h offline");
    expect(told).toHaveLength(4);
  });

  test("the same news again is no news; numbers and reports are passed on", () => {
    const { told, say, connect } = scene();
    say("offline");
    connect(1);
    say("online");
    say("online");
    say("stats");
    say("state");
    expect(told).toEqual(["h online", "h stats", "h state"]);
  });

  test("a control plane that is not reached any more has no hosts", () => {
    const { told, say, there } = scene();
    there.set("h", { plane: "b", epoch: 2, isReached: true });
    say("online");
    there.set("h", { plane: "b", epoch: 2, isReached: false });
    say("offline");
    expect(told).toEqual(["h online", "h offline"]);
  });
});

describe("parseNews", () => {
  test("reads what is said, and takes what it does not understand as a reason to look", () => {
    expect(parseNews("host 12 0199-a")).toEqual({ kind: "host", hostId: "0199-a", epoch: 12 });
    for (const text of ["planes", "", "host", "host x y", "something newer"]) expect(parseNews(text)).toEqual({ kind: "planes" });
  });
});
