import type { HostFacts, HostStats } from "@flotilla/protocol";
import { expect, test } from "vitest";
import type { HostChangeKind, HostLinks, HostLiveState } from "../engine/host-links.ts";
import { HostHistory } from "./host-history.ts";

const STEP_MS = 30_000;
const GIB = 2 ** 30;

/** Hosts whose measurements a test sets, and a clock that it moves. */
function createFleet(): {
  history: HostHistory;
  measure: (hostId: string, cpuPercent: number, cpus?: number) => void;
  pass: (ms: number) => void;
} {
  const states = new Map<string, HostLiveState>();
  const listeners = new Set<(change: { hostId: string; kind: HostChangeKind }) => void>();
  let nowMs = 1_000 * STEP_MS;
  const links = {
    state: (hostId: string) => states.get(hostId) ?? { isOnline: false, stats: null, facts: null, lastSeenAtMs: null },
    onChange: (listener: (change: { hostId: string; kind: HostChangeKind }) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as HostLinks;
  return {
    history: new HostHistory(links, () => nowMs),
    measure: (hostId, cpuPercent, cpus = 1) => {
      const stats = { cpuPercent, memoryUsedBytes: GIB, memoryTotalBytes: 4 * GIB } as HostStats;
      states.set(hostId, { isOnline: true, stats, facts: { cpus } as HostFacts, lastSeenAtMs: nowMs, isElsewhere: false });
      for (const listener of listeners) listener({ hostId, kind: "stats" });
    },
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

test("keeps one sample of each step, the newest", () => {
  const { history, measure, pass } = createFleet();
  measure("a", 10);
  pass(5_000);
  measure("a", 20);
  pass(STEP_MS);
  measure("a", 40);
  expect(history.read(["a"])).toEqual({ stepSeconds: 30, cpuPercent: [20, 40], memoryPercent: [25, 25] });
});

test("a host with more cores counts for more, and others not at all", () => {
  const { history, measure } = createFleet();
  measure("small", 100, 1);
  measure("large", 0, 3);
  measure("foreign", 100, 64);
  expect(history.read(["small", "large"]).cpuPercent).toEqual([25]);
});

test("a time in which nobody was heard is a gap and not zero", () => {
  const { history, measure, pass } = createFleet();
  measure("a", 10);
  pass(2 * STEP_MS);
  measure("a", 30);
  expect(history.read(["a"]).cpuPercent).toEqual([10, null, 30]);
  expect(history.read(["never heard"]).cpuPercent).toEqual([]);
});

test("forgets what is older than an hour, and hosts that are gone", () => {
  const { history, measure, pass } = createFleet();
  measure("gone", 10);
  for (let step = 0; step < 200; step += 1) {
    pass(STEP_MS);
    measure("a", step % 100);
  }
  expect(history.read(["a"]).cpuPercent).toHaveLength(120);
  expect(history.read(["gone"]).cpuPercent).toEqual([]);
});

test("hears nothing more once it is closed", () => {
  const { history, measure } = createFleet();
  history.close();
  measure("a", 10);
  expect(history.read(["a"]).cpuPercent).toEqual([]);
});
