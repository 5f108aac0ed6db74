import { expect, test } from "vitest";
import { planRollout } from "./plan-rollout.ts";
import type { RolloutAction, RolloutReplica, RolloutService } from "./rollout-types.ts";

// Rollouts in a world in which everything takes a random time, replicas crash, and the planner is asked at random moments. Seeds are fixed.

/** Numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Actual = RolloutReplica & { readyInMs: number; crashesInMs: number; goneInMs: number };

class World {
  readonly random: () => number;
  readonly service: RolloutService;
  replicas: Actual[] = [];
  nowMs = 1_000_000;
  #made = 0;

  constructor(seed: number, crashes: number) {
    this.random = randomFrom(seed);
    const pick = <T>(...options: readonly [T, ...T[]]): T => options[Math.floor(this.random() * options.length)] ?? options[0];
    const size = 1 + Math.floor(this.random() * 7);
    this.service = {
      name: "web",
      kind: "service",
      slots: Array.from({ length: size }, (_, index) => String(index + 1)),
      hash: "new",
      stableHash: "old",
      policy: {
        order: pick("start-first", "stop-first"),
        parallelism: pick(0, 1, 2, 3),
        delayMs: pick(0, 0, 3_000),
        monitorMs: pick(0, 2_000, 5_000),
        maxFailureRatio: 0,
        progressDeadlineMs: 600_000,
        onFailure: "continue",
        canary: pick<RolloutService["policy"]["canary"]>(null, null, { count: 1, gate: "health" }),
      },
      onHostLoss: { action: "replace", afterMs: 20_000 },
      drainMs: pick(0, 1_000),
      startedAtMs: this.nowMs,
      isDone: false,
      isHeld: false,
      isCanaryApproved: false,
      blockedBy: null,
      maxConcurrent: 0,
    };
    for (const slot of this.service.slots) this.#make(slot, "old", 0);
    for (const replica of this.replicas) Object.assign(replica, { isReady: true, readyAtMs: 0, createdAtMs: 0, crashesInMs: Infinity });
    if (crashes > 0) this.#crashes = crashes;
  }
  #crashes = 0;

  #make(slot: string, hash: string, createdAtMs: number): void {
    this.#made += 1;
    const crashesInMs = this.random() < this.#crashes ? this.random() * 20_000 : Infinity;
    this.replicas.push({
      id: `r${this.#made}`,
      slot,
      hash,
      state: "run",
      drainedAtMs: null,
      createdAtMs,
      isReady: false,
      readyAtMs: null,
      failedAtMs: null,
      isComplete: false,
      lostAtMs: null,
      moveBecause: null,
      readyInMs: this.random() * 4_000,
      crashesInMs,
      goneInMs: this.random() * 3_000,
    });
  }

  advance(ms: number): void {
    this.nowMs += ms;
    this.replicas = this.replicas.filter((replica) => replica.state !== "stop" || (replica.goneInMs -= ms) > 0);
    for (const replica of this.replicas) {
      if (replica.lostAtMs !== null && this.random() < 0.05) replica.lostAtMs = null;
      if ((replica.crashesInMs -= ms) <= 0) {
        // It is restarted on its host and is ready again after a while.
        Object.assign(replica, { isReady: false, failedAtMs: replica.failedAtMs ?? this.nowMs, crashesInMs: Infinity, readyInMs: 3_000 });
      } else if (!replica.isReady && (replica.readyInMs -= ms) <= 0)
        Object.assign(replica, { isReady: true, readyAtMs: replica.readyAtMs ?? this.nowMs });
    }
  }

  lose(): void {
    const replica = this.replicas[Math.floor(this.random() * this.replicas.length)];
    if (replica?.state === "run") replica.lostAtMs = this.nowMs;
  }

  apply(action: RolloutAction): void {
    if (action.kind === "create") this.#make(action.slot, action.hash, this.nowMs);
    const replica = action.kind === "create" ? undefined : this.replicas.find(({ id }) => id === action.replicaId);
    if (replica === undefined) return;
    if (action.kind === "drain") Object.assign(replica, { state: "drain", drainedAtMs: this.nowMs });
    else replica.state = "stop";
  }

  serving(slot: string): number {
    return this.replicas.filter((item) => item.slot === slot && item.state === "run" && item.isReady && item.lostAtMs === null).length;
  }

  plan(): ReturnType<typeof planRollout> {
    return planRollout({ service: this.service, replicas: this.replicas, nowMs: this.nowMs });
  }
}

/** What an action must not do in the world as it is. */
function check(world: World, action: RolloutAction): void {
  if (action.kind === "create") return;
  const replica = world.replicas.find(({ id }) => id === action.replicaId);
  if (replica === undefined || replica.state !== "run" || !replica.isReady || replica.lostAtMs !== null) return;
  const { policy, slots } = world.service;
  if (policy.order === "start-first") {
    expect(world.serving(replica.slot), "another replica of the slot serves").toBeGreaterThan(1);
    return;
  }
  if (world.serving(replica.slot) > 1) return;
  const leaves = slots.filter((slot) => slot !== replica.slot && world.serving(slot) === 0).length;
  const allowed = policy.parallelism === 0 ? slots.length : policy.parallelism;
  expect(leaves + 1, "slots without a replica that serves").toBeLessThanOrEqual(allowed);
}

function runRollout(seed: number, { crashes, losses }: { crashes: number; losses: number }): void {
  const world = new World(seed, crashes);
  for (let step = 0; step < 600; step += 1) {
    const plan = world.plan();
    expect(world.plan(), "equal input gives equal output").toEqual(plan);
    const isQuiet = world.replicas.every(
      ({ isReady, state, lostAtMs, crashesInMs }) => isReady && state === "run" && lostAtMs === null && crashesInMs === Infinity,
    );
    if (plan.state === "done" && isQuiet) {
      expect(world.replicas.map(({ hash, slot }) => `${slot} ${hash}`).toSorted()).toEqual(
        world.service.slots.map((slot) => `${slot} new`).toSorted(),
      );
      return;
    }
    // A planner that is killed at any moment has carried out nothing, a first part, or all.
    const kept = world.random() < 0.2 ? Math.floor(world.random() * plan.actions.length) : plan.actions.length;
    for (const action of plan.actions.slice(0, kept)) {
      check(world, action);
      world.apply(action);
    }
    if (step < 100 && world.random() < losses) world.lose();
    world.advance(200 + world.random() * 1_500);
  }
  throw new Error(`seed ${seed}: the rollout did not end: ${JSON.stringify(world.plan())} ${JSON.stringify(world.service)}`);
}

test("rollouts end and never take away more than they may", () => {
  for (let seed = 1; seed <= 300; seed += 1) runRollout(seed, { crashes: 0, losses: 0 });
});

test("rollouts whose new replicas crash go on once they are back", () => {
  for (let seed = 1; seed <= 200; seed += 1) runRollout(seed, { crashes: 0.3, losses: 0 });
});

test("rollouts end though hosts go away and come back", () => {
  for (let seed = 1; seed <= 200; seed += 1) runRollout(seed, { crashes: 0.1, losses: 0.1 });
});

test("a new version that never works leaves the old one serving", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const world = new World(seed, 0);
    Object.assign(world.service.policy, { order: "start-first", onFailure: "pause" });
    for (let step = 0; step < 60; step += 1) {
      for (const action of world.plan().actions) world.apply(action);
      for (const replica of world.replicas)
        if (replica.hash === "new") Object.assign(replica, { readyInMs: Infinity, failedAtMs: world.nowMs });
      world.advance(1_000);
      for (const slot of world.service.slots) expect(world.serving(slot)).toBeGreaterThan(0);
    }
    expect(world.plan().state).toBe("failed");
  }
});
