import { describe, expect, test } from "vitest";
import { planRollout as plan } from "./plan-rollout.ts";
import { formatReason, reason } from "./reason.ts";
import type { RolloutReplica, RolloutService } from "./rollout-types.ts";

const NOW = 1_000_000;

/** With its reasons in words. */
const planRollout = (input: Parameters<typeof plan>[0]) => {
  const { message, actions, ...rest } = plan(input);
  return {
    ...rest,
    message: formatReason(message),
    actions: actions.map((action) => ({ ...action, because: formatReason(action.because) })),
  };
};

type Asked = Partial<Omit<RolloutService, "policy">> & { policy?: Partial<RolloutService["policy"]> };

const service = (more: Asked = {}): RolloutService => ({
  name: "web",
  kind: "service",
  slots: ["1", "2", "3"],
  hash: "new",
  stableHash: "old",
  onHostLoss: { action: "replace", afterMs: 60_000 },
  drainMs: 2_000,
  startedAtMs: NOW - 60_000,
  isDone: false,
  isHeld: false,
  isCanaryApproved: false,
  blockedBy: null,
  maxConcurrent: 0,
  ...more,
  policy: {
    order: "start-first",
    parallelism: 1,
    delayMs: 0,
    monitorMs: 5_000,
    maxFailureRatio: 0,
    progressDeadlineMs: 600_000,
    onFailure: "pause",
    canary: null,
    ...more.policy,
  },
});

const replica = (id: string, more: Partial<RolloutReplica> = {}): RolloutReplica => ({
  id,
  slot: id.split(".")[0] ?? id,
  hash: "old",
  state: "run",
  drainedAtMs: null,
  createdAtMs: NOW - 3_600_000,
  isReady: true,
  readyAtMs: NOW - 3_500_000,
  failedAtMs: null,
  isComplete: false,
  lostAtMs: null,
  moveBecause: null,
  ...more,
});
const fresh = (id: string, more: Partial<RolloutReplica> = {}): RolloutReplica =>
  replica(id, { hash: "new", createdAtMs: NOW - 30_000, readyAtMs: NOW - 20_000, ...more });
const old = ["1", "2", "3"].map((slot) => replica(slot));
const short = (input: Parameters<typeof planRollout>[0]): string[] =>
  planRollout(input).actions.map((action) =>
    action.kind === "create" ? `create ${action.slot} ${action.hash}` : `${action.kind} ${action.replicaId}`,
  );

describe("a service without replicas", () => {
  test("gets all of them at once", () => {
    const plan = planRollout({ service: service(), replicas: [], nowMs: NOW });
    expect(plan.actions.map(({ kind }) => kind)).toEqual(["create", "create", "create"]);
    expect(plan.state).toBe("rolling");
  });

  test("waits for what it depends on", () => {
    const plan = planRollout({ service: service({ blockedBy: reason("waits_for_health", { service: "db" }) }), replicas: [], nowMs: NOW });
    expect(plan).toMatchObject({ actions: [], state: "waiting", message: "waits for db to be healthy" });
  });

  test("does not wait for it once it has some", () => {
    expect(
      short({ service: service({ blockedBy: reason("waits_for_health", { service: "db" }) }), replicas: [fresh("1")], nowMs: NOW }),
    ).toEqual(["create 2 new", "create 3 new"]);
  });

  test("of no slots is done", () => {
    expect(planRollout({ service: service({ slots: [] }), replicas: [], nowMs: NOW }).state).toBe("done");
  });
});

describe("start-first", () => {
  test("begins with as many as the policy says", () => {
    expect(short({ service: service(), replicas: old, nowMs: NOW })).toEqual(["create 1 new"]);
    expect(short({ service: service({ policy: { parallelism: 2 } }), replicas: old, nowMs: NOW })).toEqual([
      "create 1 new",
      "create 2 new",
    ]);
    expect(short({ service: service({ policy: { parallelism: 0 } }), replicas: old, nowMs: NOW })).toHaveLength(3);
  });

  test("drains the old one only when the new one serves", () => {
    const starting = fresh("1.b", { isReady: false, readyAtMs: null });
    expect(short({ service: service(), replicas: [...old, starting], nowMs: NOW })).toEqual([]);
    expect(short({ service: service(), replicas: [...old, fresh("1.b", { readyAtMs: NOW })], nowMs: NOW })).toEqual(["drain 1"]);
  });

  test("goes on when the new one has settled, and not before", () => {
    const rest = [replica("2"), replica("3")];
    const plan = planRollout({ service: service(), replicas: [fresh("1.b", { readyAtMs: NOW - 4_000 }), ...rest], nowMs: NOW });
    expect(plan).toMatchObject({ actions: [], wakeAtMs: NOW + 1_000, settled: 0 });
    expect(short({ service: service(), replicas: [fresh("1.b", { readyAtMs: NOW - 5_000 }), ...rest], nowMs: NOW })).toEqual([
      "create 2 new",
    ]);
  });

  test("waits between batches", () => {
    const replicas = [fresh("1.b", { readyAtMs: NOW - 6_000 }), replica("2"), replica("3")];
    const plan = planRollout({ service: service({ policy: { delayMs: 10_000 } }), replicas, nowMs: NOW });
    expect(plan).toMatchObject({ actions: [], wakeAtMs: NOW + 9_000 });
    expect(short({ service: service({ policy: { delayMs: 10_000 } }), replicas, nowMs: NOW + 9_000 })).toEqual(["create 2 new"]);
  });

  test("stops what was drained for long enough", () => {
    const draining = replica("1", { state: "drain", drainedAtMs: NOW - 1_500 });
    const now = [fresh("1.b"), draining, fresh("2"), fresh("3")];
    expect(planRollout({ service: service(), replicas: now, nowMs: NOW })).toMatchObject({
      actions: [],
      wakeAtMs: NOW + 500,
      state: "rolling",
    });
    expect(short({ service: service(), replicas: now, nowMs: NOW + 500 })).toEqual(["stop 1"]);
  });

  test("is done when everything is of the new version and nothing leaves", () => {
    const replicas = ["1", "2", "3"].map((slot) => fresh(slot));
    expect(planRollout({ service: service(), replicas, nowMs: NOW })).toMatchObject({
      actions: [],
      state: "done",
      settled: 3,
      wakeAtMs: null,
    });
    expect(planRollout({ service: service(), replicas: [...replicas, replica("4", { state: "stop" })], nowMs: NOW }).state).toBe("rolling");
  });
});

describe("stop-first", () => {
  const policy = { order: "stop-first" as const };

  test("drains before it starts, and starts when the old one is gone", () => {
    expect(short({ service: service({ policy }), replicas: old, nowMs: NOW })).toEqual(["drain 1"]);
    const [first, ...rest] = [replica("1", { state: "stop" }), replica("2"), replica("3")];
    expect(short({ service: service({ policy }), replicas: [first, ...rest], nowMs: NOW })).toEqual([]);
    expect(short({ service: service({ policy }), replicas: rest, nowMs: NOW })).toEqual(["create 1 new"]);
  });

  test("does not wait for a host that is down", () => {
    const gone = replica("1", { state: "stop", lostAtMs: NOW - 1 });
    expect(short({ service: service({ policy }), replicas: [gone, replica("2"), replica("3")], nowMs: NOW })).toContain("create 1 new");
  });

  test("replaces first what does not serve anyway, and stops it without draining", () => {
    const replicas = [replica("1"), replica("2", { isReady: false }), replica("3")];
    expect(short({ service: service({ policy }), replicas, nowMs: NOW })).toEqual(["stop 2"]);
  });
});

describe("failures", () => {
  const failing = fresh("1.b", { isReady: false, readyAtMs: null, failedAtMs: NOW - 1_000 });

  test("one more than allowed ends it, and what is old stays", () => {
    const plan = planRollout({ service: service(), replicas: [...old, failing], nowMs: NOW });
    expect(plan).toMatchObject({ actions: [], state: "failed", failed: 1, message: "1 of 3 replicas failed" });
  });

  test("within the ratio they do not, and the next slot waits for this one", () => {
    const plan = planRollout({ service: service({ policy: { maxFailureRatio: 0.4 } }), replicas: [...old, failing], nowMs: NOW });
    expect(plan).toMatchObject({ actions: [], state: "rolling", failed: 1 });
  });

  test("`continue` never ends it", () => {
    expect(planRollout({ service: service({ policy: { onFailure: "continue" } }), replicas: [...old, failing], nowMs: NOW }).state).toBe(
      "rolling",
    );
  });

  test("after the monitor window, or once it is done, they are nobody's", () => {
    const late = fresh("1.b", { readyAtMs: NOW - 20_000, failedAtMs: NOW - 10_000, isReady: false });
    expect(planRollout({ service: service(), replicas: [late, fresh("2"), fresh("3")], nowMs: NOW }).failed).toBe(0);
    expect(planRollout({ service: service({ isDone: true }), replicas: [failing, fresh("2"), fresh("3")], nowMs: NOW }).state).toBe(
      "rolling",
    );
  });

  test("of replicas made before this rollout are not its own", () => {
    const before = fresh("1", { createdAtMs: NOW - 100_000, failedAtMs: NOW - 90_000, readyAtMs: NOW - 89_000 });
    expect(planRollout({ service: service(), replicas: [before, fresh("2"), fresh("3")], nowMs: NOW }).failed).toBe(0);
  });

  test("one that was there before and does not serve counts after the window", () => {
    const broken = fresh("1", { createdAtMs: NOW - 100_000, failedAtMs: NOW - 90_000, isReady: false });
    const began = (startedAtMs: number): Asked => ({ startedAtMs });
    const replicas = [broken, fresh("2"), fresh("3")];
    expect(planRollout({ service: service(began(NOW - 4_000)), replicas, nowMs: NOW })).toMatchObject({
      state: "rolling",
      wakeAtMs: NOW + 1_000,
    });
    expect(planRollout({ service: service(began(NOW - 5_000)), replicas, nowMs: NOW })).toMatchObject({ state: "failed", failed: 1 });
  });

  test("going back removes what failed and keeps what is there", () => {
    const back = service({ hash: "old", stableHash: null, startedAtMs: NOW });
    expect(short({ service: back, replicas: [...old, failing], nowMs: NOW })).toEqual(["stop 1.b"]);
  });
});

describe("held", () => {
  test("nothing new begins, what leaves leaves, and what is missing comes back as it was", () => {
    const held = service({ isHeld: true });
    const replicas = [fresh("1"), replica("2"), replica("9", { state: "drain", drainedAtMs: 0 })];
    expect(short({ service: held, replicas, nowMs: NOW })).toEqual(["stop 9", "create 3 old"]);
    expect(planRollout({ service: held, replicas: [fresh("1"), replica("2"), replica("3")], nowMs: NOW }).state).toBe("held");
  });
});

describe("a canary", () => {
  const canary = { count: 1, gate: "manual" as const };

  test("waits for a person once it has settled", () => {
    const replicas = [fresh("1"), replica("2"), replica("3")];
    const plan = planRollout({ service: service({ policy: { canary, parallelism: 3 } }), replicas, nowMs: NOW });
    expect(plan).toMatchObject({ actions: [], state: "waiting", message: "waits for somebody to approve the canary" });
    expect(short({ service: service({ policy: { canary, parallelism: 3 }, isCanaryApproved: true }), replicas, nowMs: NOW })).toEqual([
      "create 2 new",
      "create 3 new",
    ]);
  });

  test("goes on by itself when health is the gate", () => {
    const policy = { canary: { count: 1, gate: "health" as const }, parallelism: 2 };
    expect(short({ service: service({ policy }), replicas: old, nowMs: NOW })).toEqual(["create 1 new"]);
    const settling = fresh("1", { readyAtMs: NOW - 1_000 });
    expect(short({ service: service({ policy }), replicas: [settling, replica("2"), replica("3")], nowMs: NOW })).toEqual([]);
    expect(short({ service: service({ policy }), replicas: [fresh("1"), replica("2"), replica("3")], nowMs: NOW })).toEqual([
      "create 2 new",
      "create 3 new",
    ]);
  });
});

describe("hosts", () => {
  test("a lost one's replicas are replaced after the grace, and removed when the new ones serve", () => {
    const lost = fresh("1", { lostAtMs: NOW - 59_000 });
    const rest = [fresh("2"), fresh("3")];
    const done = service({ isDone: true });
    expect(planRollout({ service: done, replicas: [lost, ...rest], nowMs: NOW })).toMatchObject({ actions: [], wakeAtMs: NOW + 1_000 });
    expect(short({ service: done, replicas: [lost, ...rest], nowMs: NOW + 1_000 })).toEqual(["create 1 new"]);
    const starting = fresh("1.b", { isReady: false, readyAtMs: null });
    expect(short({ service: done, replicas: [lost, starting, ...rest], nowMs: NOW + 1_000 })).toEqual([]);
    expect(short({ service: done, replicas: [lost, fresh("1.b"), ...rest], nowMs: NOW + 1_000 })).toEqual(["stop 1"]);
  });

  test("one that comes back before its replacement serves keeps its replica", () => {
    const starting = fresh("1.b", { isReady: false, readyAtMs: null });
    expect(short({ service: service({ isDone: true }), replicas: [fresh("1"), starting, fresh("2"), fresh("3")], nowMs: NOW })).toEqual([
      "stop 1.b",
    ]);
  });

  test("`keep` and `stop` replace nothing", () => {
    for (const action of ["keep", "stop"] as const) {
      const kept = service({ isDone: true, onHostLoss: { action, afterMs: 0 } });
      expect(short({ service: kept, replicas: [fresh("1", { lostAtMs: 0 }), fresh("2"), fresh("3")], nowMs: NOW })).toEqual([]);
    }
  });

  test("a drained one's replicas move like an update", () => {
    const moving = fresh("1", { moveBecause: reason("host_drained", { host: "h1" }) });
    const plan = planRollout({ service: service({ isDone: true }), replicas: [moving, fresh("2"), fresh("3")], nowMs: NOW });
    expect(plan.actions).toEqual([{ kind: "create", slot: "1", hash: "new", because: "host h1 is drained" }]);
  });
});

describe("jobs", () => {
  const job = (more: Asked = {}): RolloutService => service({ kind: "job", ...more });

  test("run so many at once, and are done when all have ended well", () => {
    expect(short({ service: job({ maxConcurrent: 2 }), replicas: [], nowMs: NOW })).toEqual(["create 1 new", "create 2 new"]);
    const first = fresh("1", { isReady: false, isComplete: true });
    expect(short({ service: job({ maxConcurrent: 2 }), replicas: [first, fresh("2")], nowMs: NOW })).toEqual(["create 3 new"]);
    const all = ["1", "2", "3"].map((slot) => fresh(slot, { isReady: false, isComplete: true }));
    expect(planRollout({ service: job(), replicas: all, nowMs: NOW })).toMatchObject({ actions: [], state: "done" });
  });

  test("a new version runs again", () => {
    const ended = replica("1", { isReady: false, isComplete: true });
    expect(short({ service: job({ slots: ["1"] }), replicas: [ended], nowMs: NOW })).toEqual(["stop 1"]);
    expect(short({ service: job({ slots: ["1"] }), replicas: [], nowMs: NOW })).toEqual(["create 1 new"]);
  });
});

describe("a rollout that does not get on", () => {
  const silent = (more: Partial<RolloutReplica> = {}): RolloutReplica => fresh("1.new", { isReady: false, readyAtMs: null, ...more });
  const started = { startedAtMs: NOW - 30_000 };

  test("is asked about again when its time is over", () => {
    const plan = planRollout({ service: service(started), replicas: [...old, silent()], nowMs: NOW });
    expect(plan).toMatchObject({ state: "rolling", actions: [], wakeAtMs: NOW - 30_000 + 600_000 });
  });

  test("has failed then, and makes nothing more", () => {
    const nowMs = NOW - 30_000 + 600_000;
    const plan = planRollout({ service: service(started), replicas: [...old, silent()], nowMs });
    expect(plan).toMatchObject({ state: "failed", actions: [], message: "nothing went on for 10 min, with 0 of 3 replicas settled" });
    const short = service({ ...started, policy: { progressDeadlineMs: 45_000 } });
    expect(planRollout({ service: short, replicas: [...old, silent()], nowMs: NOW + 15_000 }).message).toContain("for 45 s");
  });

  test("also if failures are no reason to stop", () => {
    const more = { ...started, policy: { onFailure: "continue" as const } };
    const plan = planRollout({ service: service(more), replicas: [...old, silent()], nowMs: NOW + 600_000 });
    expect(plan.state).toBe("failed");
  });

  test("counts from the last thing that happened", () => {
    const replicas = [fresh("1", { createdAtMs: NOW, readyAtMs: NOW + 300_000 }), ...old.slice(1), silent({ id: "2.new", slot: "2" })];
    expect(planRollout({ service: service(started), replicas, nowMs: NOW + 700_000 })).toMatchObject({
      state: "rolling",
      wakeAtMs: NOW + 900_000,
    });
  });

  test("is not one while it waits for a person, for a dependency, or for a time that is known", () => {
    const nowMs = NOW + 3_600_000;
    const canary = { count: 1, gate: "manual" as const };
    const first = fresh("1", { readyAtMs: NOW });
    expect(planRollout({ service: service({ policy: { canary } }), replicas: [first, ...old.slice(1)], nowMs }).state).toBe("waiting");
    expect(planRollout({ service: service({ blockedBy: reason("waits_for_start", { service: "db" }) }), replicas: [], nowMs }).state).toBe(
      "waiting",
    );
    const patient = service({ policy: { delayMs: 7_200_000 } });
    expect(planRollout({ service: patient, replicas: [first, ...old.slice(1)], nowMs })).toMatchObject({
      state: "rolling",
      wakeAtMs: NOW + 5_000 + 7_200_000,
    });
    expect(planRollout({ service: service({ isHeld: true }), replicas: [...old, silent()], nowMs }).state).toBe("held");
  });

  test("is one when no host takes what is missing", () => {
    expect(planRollout({ service: service(), replicas: [], nowMs: NOW + 600_000 }).state).toBe("failed");
  });

  test("of a job is one only before the job runs", () => {
    const job = service({ kind: "job", slots: ["1"], ...started });
    const at = (more: Partial<RolloutReplica>): string =>
      planRollout({ service: job, replicas: [silent({ id: "1", ...more })], nowMs: NOW + 3_600_000 }).state;
    expect(at({})).toBe("failed");
    expect(at({ isReady: true, readyAtMs: NOW })).toBe("rolling");
  });

  test("of a service that was rolled out is none", () => {
    expect(planRollout({ service: service({ isDone: true }), replicas: [silent()], nowMs: NOW + 3_600_000 }).state).toBe("rolling");
  });
});
