import type { ObservedNetwork } from "@flotilla/protocol";
import { makeResource } from "@flotilla/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import type { ObservedDescriber } from "../state/observed-state.ts";
import { NetworkReconciler, type OverlayHost } from "./network-reconciler.ts";

const observed = new Map<string, unknown>();
const publisher: ObservedDescriber = {
  describe: (key, describe) => {
    const body = describe();
    if (body === undefined) observed.delete(key);
    else observed.set(key, body);
  },
};

class FakeHost implements OverlayHost {
  known = new Map<string, ObservedNetwork>();
  failures = new Map<string, string>();
  /** A network that cannot go. */
  stays = "";
  given: ReadonlyMap<string, unknown> = new Map();
  services: ReadonlyMap<string, unknown> = new Map();
  stored: string[] = [];
  #listener: (networkId: string) => void = () => undefined;

  overlayServices(): string[] {
    return this.stored;
  }

  async applyOverlays(bodies: ReadonlyMap<string, unknown>, services: ReadonlyMap<string, unknown>): Promise<Map<string, string>> {
    this.given = bodies;
    this.services = services;
    const ids = new Set([...bodies.keys(), ...(this.stays === "" ? [] : [this.stays])]);
    this.known = new Map([...ids].map((id) => [id, { mtuBytes: 1450, endpoints: [], resting: 0, problem: null }]));
    return this.stays === "" ? this.failures : new Map([[this.stays, "containers are on it"]]);
  }

  describeOverlay(networkId: string): ObservedNetwork | undefined {
    return this.known.get(networkId);
  }

  onOverlayChanged(listener: (networkId: string) => void): () => void {
    this.#listener = listener;
    return () => undefined;
  }

  change(networkId: string, found: ObservedNetwork): void {
    this.known.set(networkId, found);
    this.#listener(networkId);
  }
}

let host: FakeHost;
let reconciler: NetworkReconciler;
let retries = 0;

beforeEach(() => {
  observed.clear();
  host = new FakeHost();
  retries = 0;
  reconciler = new NetworkReconciler(host, publisher, () => (retries += 1));
});

describe("NetworkReconciler", () => {
  test("hands over all networks by id and tells of each", async () => {
    expect(await reconciler.apply([makeResource("network/n1", { a: 1 }), makeResource("network/n2", { b: 2 })])).toEqual([]);
    expect([...host.given]).toEqual([["n1", { a: 1 }], ["n2", { b: 2 }]]); // prettier-ignore
    expect([...observed.keys()]).toEqual(["network/n1", "network/n2"]);
  });

  test("a network that went is told of no more; one that could not go still is", async () => {
    await reconciler.apply([makeResource("network/n1", {}), makeResource("network/n2", {})]);
    host.stays = "n2";
    expect(await reconciler.apply([])).toEqual([{ key: "network/n2", message: "containers are on it" }]);
    expect([...observed]).toEqual([["network/n2", { mtuBytes: 1450, endpoints: [], resting: 0, problem: "containers are on it" }]]);
  });

  test("a failure is a short message and the network's problem until it works", async () => {
    host.failures.set("n1", "x".repeat(600));
    expect((await reconciler.apply([makeResource("network/n1", {})]))[0]?.message.length).toBe(500);
    host.failures.clear();
    await reconciler.apply([makeResource("network/n1", {})]);
    expect(observed.get("network/n1")).toMatchObject({ problem: null });
  });

  test("a change of a network that has a problem is a reason to try again", async () => {
    const found = { mtuBytes: 1450, endpoints: [], resting: 0, problem: null };
    host.failures.set("n1", "containers are on it");
    await reconciler.apply([makeResource("network/n1", {}), makeResource("network/n2", {})]);
    host.change("n2", found);
    expect(retries).toBe(0);
    host.change("n1", found);
    expect(retries).toBe(1);
  });

  test("a container that comes is told at once", async () => {
    await reconciler.apply([makeResource("network/n1", {})]);
    const endpoint = {
      id: "e",
      containerId: "c",
      containerName: "web",
      address: "10.30.1.17",
      address6: null,
      macAddress: "",
      aliases: [],
    };
    host.change("n1", { mtuBytes: 1450, endpoints: [endpoint], resting: 0, problem: null });
    expect(observed.get("network/n1")).toMatchObject({ endpoints: [{ containerName: "web" }] });
  });
});

describe("services", () => {
  const [a, b] = [makeResource("network-service/n1/a", { a: 1 }), makeResource("network-service/n1/b", { b: 1 })];
  const given = async (...resources: Parameters<typeof makeResource>[1][]): Promise<unknown[]> => {
    await reconciler.apply(
      resources.map((body) => (body === a.body ? a : body === b.body ? b : makeResource("network-service/n1/b", body))),
    );
    return [...host.services];
  };

  test("are handed over when they came, changed or went, and then no more", async () => {
    expect(await given(a.body, b.body)).toEqual([["n1/a", { a: 1 }], ["n1/b", { b: 1 }]]); // prettier-ignore
    expect(await given(a.body, b.body)).toEqual([]);
    expect(await given(a.body, { b: 2 })).toEqual([["n1/b", { b: 2 }]]);
    expect(await given(a.body)).toEqual([["n1/b", undefined]]);
    expect(await given(a.body)).toEqual([]);
  });

  test("that an earlier agent stored, and nobody wants any more, go at the first call", async () => {
    host.stored = ["n1/a", "n1/old"];
    expect(await given(a.body)).toEqual([["n1/a", { a: 1 }], ["n1/old", undefined]]); // prettier-ignore
  });

  test("that failed, or whose network did, are handed over again; the failure is the network's problem", async () => {
    host.failures.set("n1/a", "no such port");
    expect(await reconciler.apply([makeResource("network/n1", {}), a, b])).toEqual([
      { key: "network-service/n1/a", message: "no such port" },
    ]);
    expect(observed.get("network/n1")).toMatchObject({ problem: "no such port" });
    host.failures = new Map([["n1", "broken"]]);
    await reconciler.apply([makeResource("network/n1", {}), a, b]);
    expect([...host.services.keys()]).toEqual(["n1/a"]);
    await reconciler.apply([makeResource("network/n1", {}), a, b]);
    expect([...host.services.keys()]).toEqual(["n1/a"]);
  });
});
