import type { RolloutReplica, RolloutService } from "./rollout-types.ts";

/** What is in one slot of a service. */
export type Slot = {
  name: string;
  /** Of the wanted version and where they shall be, the one to keep first. */
  current: RolloutReplica[];
  /** Of another version, or to be moved. */
  outdated: RolloutReplica[];
  /** On hosts that are down for longer than the service waits. */
  lost: RolloutReplica[];
  /** Drained or being stopped. */
  leaving: RolloutReplica[];
};

/** Sorts replicas into the slots that are wanted; the rest is surplus. */
export function fillSlots(
  service: RolloutService,
  replicas: readonly RolloutReplica[],
  nowMs: number,
): { slots: Slot[]; surplus: RolloutReplica[] } {
  const slots = new Map<string, Slot>(service.slots.map((name) => [name, { name, current: [], outdated: [], lost: [], leaving: [] }]));
  const surplus: RolloutReplica[] = [];
  for (const replica of replicas) {
    const slot = slots.get(replica.slot);
    if (slot === undefined) surplus.push(replica);
    else if (replica.state !== "run") slot.leaving.push(replica);
    else if (isGivenUp(service, replica, nowMs)) slot.lost.push(replica);
    else if (replica.hash === service.hash && replica.moveBecause === null) slot.current.push(replica);
    else slot.outdated.push(replica);
  }
  for (const slot of slots.values()) {
    slot.current.sort(byWorth);
    slot.outdated.sort(byWorth);
  }
  return { slots: [...slots.values()], surplus };
}

/** Ready ones first, then the older ones. */
function byWorth(a: RolloutReplica, b: RolloutReplica): number {
  const [left, right] = [isServing(a), isServing(b)];
  if (left !== right) return left ? -1 : 1;
  return a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1);
}

/** Its host is down for longer than the service waits: another one takes its place. */
export function isGivenUp({ onHostLoss }: RolloutService, { lostAtMs }: RolloutReplica, nowMs: number): boolean {
  return onHostLoss.action === "replace" && lostAtMs !== null && nowMs >= lostAtMs + onHostLoss.afterMs;
}

/** Whether a replica serves as far as anybody knows. */
export function isServing({ isReady, isComplete, lostAtMs }: RolloutReplica): boolean {
  return (isReady || isComplete) && lostAtMs === null;
}

/** When a replica counts as settled: it was ready for the monitor window. null: not yet known. */
export function settlesAtMs({ policy, kind }: RolloutService, replica: RolloutReplica): number | null {
  if (kind === "job") return replica.isComplete ? replica.createdAtMs : null;
  return isServing(replica) && replica.readyAtMs !== null ? replica.readyAtMs + policy.monitorMs : null;
}

/**
 * Whether a replica's failure counts as one of the rollout: of one that the rollout made, the first within the monitor window; of one that was there
 * before, when it still does not serve after the window.
 */
export function isFailure({ policy, startedAtMs }: RolloutService, replica: RolloutReplica, nowMs: number): boolean {
  const { failedAtMs, readyAtMs, createdAtMs } = replica;
  if (failedAtMs === null) return false;
  if (createdAtMs < startedAtMs) return !isServing(replica) && replica.lostAtMs === null && nowMs >= startedAtMs + policy.monitorMs;
  return readyAtMs === null || failedAtMs <= readyAtMs + policy.monitorMs;
}
