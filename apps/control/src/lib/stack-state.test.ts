import { describe, expect, test } from "vitest";
import { knownOr, replicaPhase, replicasByHost, rolloutOf, serviceState, troubled } from "./stack-state.ts";

const replica = (slot: string, more: object = {}) => ({
  id: `r${slot}`,
  slot,
  host: { id: "1", name: "h1" },
  state: "run",
  phase: "running",
  isCurrent: true,
  reason: "",
  ...more,
});
const service = { state: "rolling", isRemoved: false, wanted: 3, running: 3, canApprove: false, canAbort: true };

describe("serviceState", () => {
  test("a service that is done and lacks replicas is degraded", () => {
    expect(serviceState({ ...service, state: "done", running: 2 })).toBe("degraded");
    expect(serviceState({ ...service, state: "done" })).toBe("running");
  });
  test("a rollout tells of itself, whatever runs", () => {
    expect(serviceState({ ...service, running: 0 })).toBe("rolling");
    expect(serviceState({ ...service, state: "failed" })).toBe("failed");
  });
  test("one that is not wanted any more is being removed", () => {
    expect(serviceState({ ...service, isRemoved: true })).toBe("removing");
  });
});

describe("replicaPhase", () => {
  test("one that drains or stops is leaving", () => {
    expect(replicaPhase({ state: "drain", phase: "running" })).toBe("leaving");
    expect(replicaPhase({ state: "run", phase: "waiting" })).toBe("waiting");
  });
  test("a phase of a newer server is not known", () => {
    expect(replicaPhase({ state: "run", phase: "dancing" })).toBe("unknown");
    expect(knownOr("b", ["a", "b"], "a")).toBe("b");
  });
});

test("replicasByHost sorts hosts and replicas as people count", () => {
  const found = replicasByHost([
    replica("10"),
    replica("2"),
    replica("1", { host: { id: "2", name: "h10" } }),
    replica("3", { host: { id: "3", name: "h2" } }),
  ]);
  expect(found.map(({ host, replicas }) => [host, replicas.map(({ slot }) => slot).join()])).toEqual([
    ["h1", "2,10"],
    ["h2", "3"],
    ["h10", "1"],
  ]);
});

test("troubled leaves out what is fine and what leaves", () => {
  const found = troubled([replica("1"), replica("2", { phase: "failed" }), replica("3", { phase: "failed", state: "stop" })]);
  expect(found.map(({ slot }) => slot)).toEqual(["2"]);
});

describe("rolloutOf", () => {
  test("counts slots whose new replica serves, each once", () => {
    const replicas = [replica("1"), replica("1", { id: "x" }), replica("2", { isCurrent: false }), replica("3", { phase: "starting" })];
    expect(rolloutOf({ ...service, replicas })).toEqual({ updated: 1, wanted: 3, acts: ["pause", "abort"] });
  });
  test("offers what the server would do, and nothing else", () => {
    expect(rolloutOf({ ...service, state: "held", canAbort: false, replicas: [] })?.acts).toEqual(["continue"]);
    expect(rolloutOf({ ...service, canApprove: true, replicas: [] })?.acts).toEqual(["approve", "pause", "abort"]);
  });
  test("there is none at rest", () => {
    expect(rolloutOf({ ...service, state: "done", replicas: [] })).toBeNull();
    expect(rolloutOf({ ...service, isRemoved: true, replicas: [] })).toBeNull();
  });
});
