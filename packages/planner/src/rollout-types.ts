// What a rollout is told and what it answers. Times are milliseconds since the epoch, by one clock: the control plane's.
import type { Reason } from "./reason.ts";

/** How a service is changed from one version to the next; of `deploy.update_config` and `rollback_config`. */
export type UpdatePolicy = {
  order: "start-first" | "stop-first";
  /** Replicas that are changed at once; 0: all. */
  parallelism: number;
  /** Between one batch that has settled and the next one. */
  delayMs: number;
  /** A replica that fails within this time after it became ready counts as a failure of the rollout. */
  monitorMs: number;
  /** The part of all replicas that may fail, 0 to 1. */
  maxFailureRatio: number;
  onFailure: "pause" | "continue" | "rollback";
  /** A rollout that does not get on for so long, though nobody and nothing is being waited for, has failed. */
  progressDeadlineMs: number;
  /** So many replicas go first; then the rollout waits for a person, or until they have settled. */
  canary: { count: number; gate: "manual" | "health" } | null;
};

/** What becomes of replicas on a host that counts as down: nothing, or one elsewhere once it has been down for so long. */
export type HostLossPolicy = { action: "keep" | "replace" | "stop"; afterMs: number };

export type RolloutService = {
  name: string;
  kind: "service" | "job";
  /** The places that are to be filled: `1` to `N`, or the ids of hosts for global services. Empty: the service is being removed. */
  slots: readonly string[];
  /** Hash of the version that is wanted. */
  hash: string;
  /** Hash of the version before; what is lost while a rollout is held is replaced by this one. */
  stableHash: string | null;
  policy: UpdatePolicy;
  onHostLoss: HostLossPolicy;
  /** A replica that leaves gets no new connections for this time before it is stopped. */
  drainMs: number;
  startedAtMs: number;
  /** The rollout has ended well: what fails from here on is no failure of it. */
  isDone: boolean;
  /** A person, or a failure, holds it. */
  isHeld: boolean;
  isCanaryApproved: boolean;
  /** What it waits for before its first replica is made. */
  blockedBy: Reason | null;
  /** Of jobs: replicas that run at once; 0: all. */
  maxConcurrent: number;
};

export type RolloutReplica = {
  id: string;
  slot: string;
  hash: string;
  /** `run`; `drain`: runs and gets nothing new; `stop`: its host shall remove it. */
  state: "run" | "drain" | "stop";
  drainedAtMs: number | null;
  createdAtMs: number;
  /** It runs now and, when it has a health check, is healthy. */
  isReady: boolean;
  /** When it was ready for the first time. */
  readyAtMs: number | null;
  /** When it failed for the first time since it was made. */
  failedAtMs: number | null;
  /** Of jobs: it has ended well. */
  isComplete: boolean;
  /** Its host is down since then. */
  lostAtMs: number | null;
  /** Why it shall be elsewhere though it is of the right version: `host h1 is drained`. */
  moveBecause: Reason | null;
};

export type RolloutAction =
  | { kind: "create"; slot: string; hash: string; because: Reason }
  /** No new connections from now on. */
  | { kind: "drain"; replicaId: string; because: Reason }
  | { kind: "stop"; replicaId: string; because: Reason };

/**
 * `done`: everything is as wanted. `rolling`: on its way. `waiting`: for a person to approve the canary, or for another service. `held`: by a
 * person. `failed`: more replicas than allowed failed; what happens now says `policy.onFailure`.
 */
export type RolloutState = "done" | "rolling" | "waiting" | "held" | "failed";

export type RolloutPlan = {
  actions: RolloutAction[];
  state: RolloutState;
  message: Reason;
  /** Slots whose replica is of the wanted version and has settled. */
  settled: number;
  /** Replicas of this rollout that failed. */
  failed: number;
  /** When to plan again though nothing was observed; null: not before something is. */
  wakeAtMs: number | null;
};
