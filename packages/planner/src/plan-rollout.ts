// The next steps of one service, from what is wanted and what is there. Pure and level-triggered: nothing is remembered between two
// plans, equal input gives equal output, and to plan again at any moment is safe. The steps of one plan are independent of each other.
//
// INVARIANTS (property tests in plan-rollout.property.test.ts):
// - start-first: a replica that serves is drained only if another one of its slot serves.
// - stop-first: slots that are empty because of the rollout are never more than `parallelism`.
// - with replicas that become ready in the end, it ends.
import { type Reason, reason } from "./reason.ts";
import type { RolloutAction, RolloutPlan, RolloutReplica, RolloutService } from "./rollout-types.ts";
import { fillSlots, isFailure, isServing, settlesAtMs, type Slot } from "./slot.ts";

type Scene = { service: RolloutService; slots: readonly Slot[]; nowMs: number; actions: RolloutAction[]; wakes: number[] };

export type RolloutInput = { service: RolloutService; replicas: readonly RolloutReplica[]; nowMs: number };

/** @returns what to do now, how it stands, and when to ask again. */
export function planRollout(input: RolloutInput): RolloutPlan {
  const { service, replicas, nowMs } = input;
  const plan = planSteps(input);
  // What is to go on by itself at a known time, or waits for somebody, is not stuck.
  if (service.isDone || plan.state !== "rolling" || plan.wakeAtMs !== null) return plan;
  const atMs = stallsAtMs(service, replicas);
  if (atMs === null) return plan;
  if (nowMs < atMs) return { ...plan, wakeAtMs: atMs };
  const held = planSteps({ ...input, service: { ...service, isHeld: true } });
  return { ...held, state: "failed", message: stallMessage(service, plan.settled) };
}

/** When a rollout that nothing happens to has failed; null: it may take any time, as a job that runs may. */
function stallsAtMs({ kind, slots, hash, startedAtMs, policy }: RolloutService, replicas: readonly RolloutReplica[]): number | null {
  const isUnheard = ({ readyAtMs, failedAtMs, lostAtMs }: RolloutReplica): boolean =>
    readyAtMs === null && failedAtMs === null && lostAtMs === null;
  if (slots.length === 0) return null;
  if (kind === "job" && !replicas.some((replica) => replica.hash === hash && isUnheard(replica))) return null;
  const lastAtMs = replicas.flatMap(({ createdAtMs, readyAtMs, drainedAtMs }) => [createdAtMs, readyAtMs ?? 0, drainedAtMs ?? 0]);
  return Math.max(startedAtMs, ...lastAtMs) + policy.progressDeadlineMs;
}

function stallMessage({ policy, slots }: RolloutService, settled: number): Reason {
  return reason("stalled", { seconds: Math.round(policy.progressDeadlineMs / 1_000), settled, total: slots.length });
}

function planSteps({ service, replicas, nowMs }: RolloutInput): RolloutPlan {
  const { slots, surplus } = fillSlots(service, replicas, nowMs);
  const scene: Scene = { service, slots, nowMs, actions: [], wakes: [] };
  const failed = slots.reduce((sum, { current }) => sum + current.filter((replica) => isFailure(service, replica, nowMs)).length, 0);
  const isFailed = hasFailed(service, failed);
  const isHeld = service.isHeld || isFailed;
  leave(scene, replicas, surplus);
  for (const slot of slots) tidy(scene, slot);
  const waitsFor = fillEmpty(scene, isHeld) ?? (isHeld ? undefined : roll(scene));
  for (const { lostAtMs } of replicas) {
    if (lostAtMs !== null && service.onHostLoss.action === "replace") scene.wakes.push(lostAtMs + service.onHostLoss.afterMs);
  }
  if (!service.isDone) scene.wakes.push(service.startedAtMs + service.policy.monitorMs);
  const settled = slots.filter((slot) => isSettled(service, slot, nowMs)).length;
  const isAlone = slots.every(
    ({ current, outdated, leaving, lost }) => current.length === 1 && outdated.length + leaving.length + lost.length === 0,
  );
  const isDone = settled === slots.length && isAlone && surplus.length === 0;
  const future = scene.wakes.filter((at) => at > nowMs);
  return {
    actions: scene.actions,
    ...describe(scene, { isDone, isFailed, failed, settled, waitsFor }),
    settled,
    failed,
    wakeAtMs: future.length === 0 ? null : Math.min(...future),
  };
}

function hasFailed({ policy, isDone, slots }: RolloutService, failed: number): boolean {
  if (isDone || policy.onFailure === "continue" || failed === 0) return false;
  return failed / Math.max(1, slots.length) > policy.maxFailureRatio;
}

function isSettled(service: RolloutService, slot: Slot, nowMs: number): boolean {
  const [first] = slot.current;
  const at = first === undefined ? null : settlesAtMs(service, first);
  return at !== null && nowMs >= at;
}

/** What leaves goes on leaving, held or not. */
function leave({ service, nowMs, actions, wakes }: Scene, replicas: readonly RolloutReplica[], surplus: readonly RolloutReplica[]): void {
  for (const replica of surplus) if (replica.state === "run") actions.push(part(replica, reason("not_wanted")));
  for (const replica of replicas) {
    if (replica.state !== "drain") continue;
    const endsAtMs = (replica.drainedAtMs ?? nowMs) + service.drainMs;
    if (isServing(replica) && nowMs < endsAtMs) wakes.push(endsAtMs);
    else actions.push({ kind: "stop", replicaId: replica.id, because: reason("drained") });
  }
}

/** A replica that serves is drained before it is stopped. */
function part(replica: RolloutReplica, because: Reason): RolloutAction {
  return { kind: isServing(replica) && !replica.isComplete ? "drain" : "stop", replicaId: replica.id, because };
}

/** In a slot with a replica of the wanted version that serves, nothing else is needed. */
function tidy({ actions }: Scene, { current, outdated, lost }: Slot): void {
  const [first, ...others] = current;
  if (first === undefined || !isServing(first)) return;
  for (const replica of others) actions.push(part(replica, reason("place_taken")));
  for (const replica of outdated) actions.push(part(replica, replica.moveBecause ?? reason("place_taken_by_new")));
  for (const replica of lost) actions.push({ kind: "stop", replicaId: replica.id, because: reason("host_down_too_long") });
}

/** Makes replicas where there are none. Returns what the service waits for, if anything. */
function fillEmpty(scene: Scene, isHeld: boolean): Reason | undefined {
  const { service, slots, actions } = scene;
  const empty = slots.filter(
    ({ current, outdated, leaving }) => current.length + outdated.length === 0 && !leaving.some(blocksSlot(service)),
  );
  if (empty.length === 0) return undefined;
  const isNew = slots.every(
    ({ current, outdated, leaving, lost }) => current.length + outdated.length + leaving.length + lost.length === 0,
  );
  if (isNew && service.blockedBy !== null) return service.blockedBy;
  const room = service.kind === "job" && service.maxConcurrent > 0 ? service.maxConcurrent - slots.filter(isBusy).length : empty.length;
  for (const { name, lost } of empty.slice(0, Math.max(0, room))) {
    const hash = isHeld ? (service.stableHash ?? service.hash) : service.hash;
    actions.push({
      kind: "create",
      slot: name,
      hash,
      because: reason(lost.length > 0 ? "host_before_down" : "none_there"),
    });
  }
  return undefined;
}

/** With stop-first the one before must be gone, as far as its host can still say so. */
function blocksSlot({ policy }: RolloutService): (replica: RolloutReplica) => boolean {
  return ({ lostAtMs }) => policy.order === "stop-first" && lostAtMs === null;
}

const isBusy = ({ current }: Slot): boolean => current.some(({ isComplete }) => !isComplete);

/** Goes on with the slots that are outdated, as many at once as the policy says. Returns what it waits for, if anything. */
function roll(scene: Scene): Reason | undefined {
  const { service, slots, nowMs, wakes } = scene;
  const { policy } = service;
  const isMoving = (slot: Slot): boolean => slot.outdated.length === 0 || slot.current.length > 0;
  const pending = slots
    .filter((slot) => !isMoving(slot))
    .toSorted((a, b) => Number(a.outdated.some(isServing)) - Number(b.outdated.some(isServing)));
  const unsettled = slots.filter((slot) => isMoving(slot) && !isSettled(service, slot, nowMs));
  const ends = slots.flatMap(({ current: [first] }) => (first === undefined ? [] : (settlesAtMs(service, first) ?? [])));
  wakes.push(...ends);
  if (pending.length === 0) return undefined;
  const started = slots.filter((slot) => slot.current.some(({ createdAtMs }) => createdAtMs >= service.startedAtMs)).length;
  const gate = canaryRoom(service, { started, isSettled: unsettled.length === 0 });
  if (gate.room === 0) return gate.waitsFor;
  const batch = policy.parallelism === 0 ? slots.length : policy.parallelism;
  const nextAtMs = started === 0 || policy.delayMs === 0 ? nowMs : Math.max(0, ...ends.filter((at) => at <= nowMs)) + policy.delayMs;
  wakes.push(nextAtMs);
  if (nextAtMs > nowMs) return undefined;
  for (const slot of pending.slice(0, Math.max(0, Math.min(batch - unsettled.length, gate.room)))) replace(scene, slot);
  return undefined;
}

/** How many more replicas the canary lets through. */
function canaryRoom(service: RolloutService, now: { started: number; isSettled: boolean }): { room: number; waitsFor?: Reason } {
  const { canary } = service.policy;
  if (canary === null || service.isCanaryApproved || service.isDone) return { room: Infinity };
  if (now.started < canary.count) return { room: canary.count - now.started };
  if (canary.gate === "health") return now.isSettled ? { room: Infinity } : { room: 0 };
  return { room: 0, waitsFor: reason(now.isSettled ? "waits_for_approval" : "waits_for_canary") };
}

function replace({ service, actions }: Scene, slot: Slot): void {
  const [first] = slot.outdated;
  const because = first?.moveBecause ?? reason("older_version");
  if (service.policy.order === "start-first" && service.kind === "service") {
    actions.push({ kind: "create", slot: slot.name, hash: service.hash, because });
  } else for (const replica of slot.outdated) actions.push(part(replica, because));
}

type Outcome = { isDone: boolean; isFailed: boolean; failed: number; settled: number; waitsFor: Reason | undefined };

function describe({ service, slots }: Scene, how: Outcome): Pick<RolloutPlan, "state" | "message"> {
  const { isDone, isFailed, failed, settled, waitsFor } = how;
  const progress = { settled, total: slots.length };
  if (isFailed) return { state: "failed", message: reason("failed", { failed, total: slots.length }) };
  if (isDone) return { state: "done", message: reason("run", progress) };
  if (service.isHeld) return { state: "held", message: reason("held", progress) };
  if (waitsFor !== undefined) return { state: "waiting", message: waitsFor };
  return { state: "rolling", message: reason("settled", progress) };
}
