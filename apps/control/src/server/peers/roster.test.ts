import { type HostFacts, type HostStats, rosterMessage } from "@flotilla/protocol";
import { describe, expect, test } from "vitest";
import { Roster } from "./roster.ts";
import { RosterFeed, type RosterSource } from "./roster-feed.ts";

const facts: HostFacts = { agentVersion: "1", hostname: "h", os: "o", kernel: "k", architecture: "x", cpus: 2, memoryBytes: 1 };
const statsOf = (cpuPercent: number): HostStats => ({
  cpuPercent,
  memoryUsedBytes: 1,
  memoryTotalBytes: 2,
  diskUsedBytes: 1,
  diskTotalBytes: 2,
  containersRunning: 0,
  containersTotal: 0,
});

type Held = { epoch: number; stats: HostStats | null; silentMs: number };

/** One control plane's hosts, what it tells, and what another one makes of it. */
function pair(): {
  hosts: Map<string, Held>;
  feed: RosterFeed;
  roster: Roster;
  lines: string[];
  block: (on: boolean) => void;
  now: { ms: number };
} {
  const hosts = new Map<string, Held>();
  const describeHost = (hostId: string, { epoch, stats }: Held) => ({ hostId, epoch, facts, stats });
  const source: RosterSource = {
    hosts: () => [...hosts].map(([hostId, held]) => describeHost(hostId, held)),
    find: (hostId) => {
      const held = hosts.get(hostId);
      return held === undefined ? undefined : describeHost(hostId, held);
    },
    silences: () => [...hosts].map(([hostId, { silentMs }]) => ({ hostId, silentMs })),
  };
  const now = { ms: 1_000 };
  const roster = new Roster(() => now.ms);
  const lines: string[] = [];
  let isBlocked = false;
  const take = (line: string): boolean => {
    lines.push(line);
    roster.apply(rosterMessage.parse(JSON.parse(line)));
    return !isBlocked;
  };
  const feed = new RosterFeed(source, { write: take });
  const block = (on: boolean): void => {
    isBlocked = on;
    if (!on) feed.drain();
  };
  return { hosts, feed, roster, lines, block, now };
}

describe("roster", () => {
  test("the first line says all hosts, and each change afterwards one", () => {
    const { hosts, feed, roster, lines } = pair();
    expect(lines).toHaveLength(1);
    hosts.set("a", { epoch: 4, stats: null, silentMs: 0 });
    feed.note("a", "online");
    expect(roster.get("a")).toMatchObject({ epoch: 4, stats: null, facts });
    hosts.set("a", { epoch: 4, stats: statsOf(7), silentMs: 0 });
    feed.note("a", "stats");
    expect(roster.get("a")?.stats?.cpuPercent).toBe(7);
    hosts.delete("a");
    feed.note("a", "offline");
    expect(roster.get("a")).toBeUndefined();
  });

  test("a peer that does not read gets the newest state once it does, and none of those between", () => {
    const { hosts, feed, roster, lines, block } = pair();
    block(true);
    hosts.set("a", { epoch: 1, stats: null, silentMs: 0 });
    feed.note("a", "online");
    const before = lines.length;
    for (let i = 1; i <= 50; i += 1) {
      hosts.set("a", { epoch: 1, stats: statsOf(i), silentMs: 0 });
      feed.note("a", "stats");
    }
    feed.tick();
    expect(lines.length).toBe(before);
    block(false);
    expect(lines.length).toBe(before + 1);
    expect(roster.get("a")?.stats?.cpuPercent).toBe(50);
  });

  test("whatever happens in whatever order, in the end both know the same", () => {
    const { hosts, feed, roster, block } = pair();
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
    for (let step = 0; step < 2_000; step += 1) {
      const hostId = `h${random(5)}`;
      const held = hosts.get(hostId);
      if (random(10) === 0) block(random(2) === 0);
      if (held === undefined) {
        hosts.set(hostId, { epoch: step, stats: null, silentMs: 0 });
        feed.note(hostId, "online");
      } else if (random(3) === 0) {
        hosts.delete(hostId);
        feed.note(hostId, "offline");
      } else {
        hosts.set(hostId, { ...held, stats: statsOf(random(100)) });
        feed.note(hostId, random(8) === 0 ? "state" : "stats");
      }
    }
    block(false);
    const known = [...roster.entries()].map(([hostId, { epoch, stats }]) => [hostId, epoch, stats?.cpuPercent]).sort();
    expect(known).toEqual([...hosts].map(([hostId, { epoch, stats }]) => [hostId, epoch, stats?.cpuPercent]).sort());
  });

  test("hosts count as heard at each tick, but those that the other one says were silent", () => {
    const { hosts, feed, roster, now } = pair();
    for (const [hostId, silentMs] of [
      ["a", 100],
      ["b", 12_000],
    ] as const) {
      hosts.set(hostId, { epoch: 1, stats: null, silentMs });
      feed.note(hostId, "online");
    }
    now.ms = 21_000;
    feed.tick();
    expect(roster.get("a")?.heardAtMs).toBe(21_000);
    expect(roster.get("b")?.heardAtMs).toBe(9_000);
  });

  test("a snapshot replaces what was known, and tells who went", () => {
    const roster = new Roster();
    roster.apply({ type: "snapshot", hosts: [{ hostId: "a", epoch: 1, facts, stats: null }] });
    const changes = roster.apply({ type: "snapshot", hosts: [{ hostId: "b", epoch: 1, facts, stats: null }] });
    expect(changes).toEqual([
      { hostId: "a", kind: "offline" },
      { hostId: "b", kind: "online" },
    ]);
    expect([...roster.entries()].map(([hostId]) => hostId)).toEqual(["b"]);
  });

  test("numbers of a host that is not known change nothing", () => {
    const roster = new Roster();
    expect(roster.apply({ type: "stats", hostId: "x", stats: statsOf(1) })).toEqual([]);
    expect(roster.apply({ type: "remove", hostId: "x" })).toEqual([]);
    expect(roster.apply({ type: "news", hostId: "x" })).toEqual([{ hostId: "x", kind: "state" }]);
  });
});
