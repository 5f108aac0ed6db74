import { replicaState, type ReplicaState } from "@flotilla/protocol";
import { describe, expect, test } from "vitest";
import { describeReplica } from "./describe-replica.ts";
import { afterFailure, beforeStart, type Container, FRESH, planReplica, type ReplicaScene } from "./plan-replica.ts";

const NOW = 1_000_000;
const wanted = (more: Partial<ReplicaState> = {}): ReplicaState => ({
  ...replicaState.parse({
    id: "r1",
    namespace: "default",
    name: "web-1",
    stack: "shop",
    service: "web",
    slot: "1",
    revision: "v1",
    kind: "service",
    image: "web:1",
    pullPolicy: "missing",
    body: {},
    networks: [],
    files: [],
    restart: { condition: "any", delayMs: 100, maxAttempts: null },
    stopsAfterMs: null,
  }),
  ...more,
});
const container = (more: Partial<Container> = {}): Container => ({
  id: "c1",
  status: "running",
  exitCode: 0,
  startedAtMs: NOW - 60_000,
  health: undefined,
  labels: { "io.flotilla.revision": "v1" },
  imageId: "sha256:x",
  ...more,
});
const exited = (exitCode: number, more: Partial<Container> = {}): Container => container({ status: "exited", exitCode, ...more });
const unhealthy = container({
  health: { Status: "unhealthy", FailingStreak: 3, Log: [{ Start: "", End: "", ExitCode: 1, Output: "no answer" }] },
});
const scene = (more: Partial<ReplicaScene> = {}): ReplicaScene => ({
  wanted: wanted(),
  container: undefined,
  adoptable: undefined,
  memory: FRESH,
  hasImage: true,
  missing: undefined,
  silentForMs: 0,
  nowMs: NOW,
  ...more,
});
const next = (more: Partial<ReplicaScene>): string => planReplica(scene(more)).kind;
const counted = {
  ...FRESH,
  starts: 1,
  failures: 1,
  countedEnd: `c1 ${NOW - 60_000}`,
  notBeforeMs: NOW + 500,
  reason: "it ended with exit code 3",
};

describe("the next step of a replica", () => {
  test.each<[string, Partial<ReplicaScene>, string]>([
    ["without image", { hasImage: false }, "pull"],
    ["without container", {}, "create"],
    ["whose network has not come yet", { missing: "network shop_default" }, "wait"],
    ["with a container that never ran", { container: container({ status: "created", startedAtMs: 0 }) }, "start"],
    ["that runs", { container: container() }, "none"],
    ["that is not wanted", { wanted: undefined, container: container() }, "remove"],
    ["that is not wanted and has no container", { wanted: undefined }, "remove"],
    ["whose container is of another version", { container: container({ labels: { "io.flotilla.revision": "v0" } }) }, "remove"],
    ["whose removal was cut off", { container: container({ status: "removing" }) }, "remove"],
    ["that ended", { container: exited(3) }, "count"],
    ["that ended and was counted", { container: exited(3), memory: counted }, "wait"],
    ["after the delay", { container: exited(3), memory: { ...counted, notBeforeMs: NOW } }, "start"],
    ["whose container is there and nobody's", { adoptable: { id: "c0" }, hasImage: false, missing: "network n" }, "adopt"],
    ["whose container could not be taken over just now", { adoptable: { id: "c0" }, memory: { ...FRESH, notBeforeMs: NOW + 1 } }, "wait"],
    ["that took its container over", { adoptable: undefined, container: container(), wanted: wanted({ adopts: "c".repeat(64) }) }, "none"],
    ["of a failed creation", { memory: { ...FRESH, failures: 2, notBeforeMs: NOW + 1 } }, "wait"],
    ["that is unhealthy", { container: unhealthy }, "count"],
    ["that is unhealthy and was counted", { container: unhealthy, memory: counted }, "wait"],
    ["that is unhealthy, after the delay", { container: unhealthy, memory: { ...counted, notBeforeMs: NOW } }, "stop"],
  ])("%s", (_what, more, kind) => expect(next(more)).toBe(kind));

  test.each<[ReplicaState["restart"], number, string]>([
    [{ condition: "none", delayMs: 0, maxAttempts: null }, 3, "none"],
    [{ condition: "on-failure", delayMs: 0, maxAttempts: null }, 0, "none"],
    [{ condition: "on-failure", delayMs: 0, maxAttempts: null }, 1, "count"],
    [{ condition: "any", delayMs: 0, maxAttempts: null }, 0, "count"],
    [{ condition: "any", delayMs: 0, maxAttempts: 1 }, 1, "none"],
    [{ condition: "any", delayMs: 0, maxAttempts: 2 }, 1, "count"],
  ])("by its policy %j after exit code %i", (restart, exitCode, kind) =>
    expect(next({ wanted: wanted({ restart }), container: exited(exitCode), memory: { ...FRESH, starts: 2 } })).toBe(kind),
  );

  test("a host that is cut off for too long stops it, and starts nothing", () => {
    const limited = wanted({ stopsAfterMs: 30_000 });
    expect(planReplica(scene({ wanted: limited, container: container(), silentForMs: 10_000 }))).toEqual({
      kind: "wait",
      untilMs: NOW + 20_000,
    });
    expect(next({ wanted: limited, container: container(), silentForMs: 30_000 })).toBe("stop");
    expect(next({ wanted: limited, container: exited(0), silentForMs: 30_000 })).toBe("wait");
    expect(next({ wanted: limited, silentForMs: 30_000 })).toBe("wait");
  });
});

describe("the delay", () => {
  const fail = (memory = FRESH, ranMs = 0): typeof FRESH =>
    afterFailure(memory, { reason: "x", end: "e", ranMs, delayMs: 100, nowMs: NOW });
  test("doubles up to a minute, and begins again after a long run", () => {
    let memory = FRESH;
    const delays = Array.from({ length: 12 }, () => {
      memory = fail(memory);
      return memory.notBeforeMs - NOW;
    });
    expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000]);
    expect(fail(memory, 10_000).notBeforeMs - NOW).toBe(100);
  });
});

describe("what is told", () => {
  const tell = (more: Partial<Parameters<typeof describeReplica>[0]>): ReturnType<typeof describeReplica> =>
    describeReplica({
      wanted: wanted(),
      container: undefined,
      memory: FRESH,
      silentForMs: 0,
      progress: "",
      log: [],
      healthOutput: "",
      ...more,
    });
  test.each<[string, Partial<Parameters<typeof describeReplica>[0]>, object]>([
    ["being pulled", { progress: "pulling web:1: 40%" }, { phase: "preparing", progress: "pulling web:1: 40%", containerId: null }],
    ["no image", { memory: { ...FRESH, failures: 1, reason: "No such image: web:1" } }, { phase: "waiting", reason: "No such image: web:1" }],
    ["running", { container: container() }, { phase: "running", reason: "", exitCode: null, restarts: 0 }],
    ["starting", { container: container({ health: { Status: "starting", FailingStreak: 0, Log: [] } }) }, { phase: "starting" }],
    ["unhealthy", { container: unhealthy }, { phase: "unhealthy", healthOutput: "no answer", reason: "its health check fails" }],
    ["crashed", { container: exited(3), memory: counted, log: ["boom"] }, { phase: "waiting", exitCode: 3, log: ["boom"], reason: "it ended with exit code 3" }],
    ["ended well", { wanted: wanted({ restart: { condition: "none", delayMs: 0, maxAttempts: null } }), container: exited(0) }, { phase: "complete", exitCode: 0 }],
    ["restarted", { container: container(), memory: counted, log: ["boom"], healthOutput: "no" }, { phase: "running", reason: "", lastFailure: "it ended with exit code 3", log: ["boom"], healthOutput: "no" }],
    ["given up", { wanted: wanted({ restart: { condition: "none", delayMs: 0, maxAttempts: null } }), container: exited(2) }, { phase: "failed", reason: "it ended with exit code 2" }],
    ["cut off", { wanted: wanted({ stopsAfterMs: 1 }), container: exited(0), silentForMs: 2 }, { phase: "stopped" }],
  ])("%s", (_what, facts, told) => expect(tell(facts)).toMatchObject(told)); // prettier-ignore
});

test("a start counts once for the run that it comes after, however often it is tried", () => {
  const never = container({ startedAtMs: 0 });
  const first = beforeStart(FRESH, never);
  expect(first.starts).toBe(1);
  expect(beforeStart(first, never)).toBe(first);
  expect(beforeStart(first, container({ startedAtMs: NOW })).starts).toBe(2);
  expect(beforeStart(first, container({ id: "other", startedAtMs: 0 })).starts).toBe(2);
});
