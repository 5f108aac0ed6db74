import type { Tone } from "./container-state.ts";

export const STACK_STATES = ["running", "degraded", "rolling", "held", "failed", "removing"] as const;
export type StackState = (typeof STACK_STATES)[number];

/** `deploy.mode` of a service. */
export const SERVICE_MODES = ["replicated", "global", "replicated-job", "global-job"] as const;

export const REPLICA_PHASES = [
  "unknown",
  "preparing",
  "starting",
  "running",
  "unhealthy",
  "waiting",
  "complete",
  "failed",
  "stopped",
  "lost",
  "leaving",
] as const;
export type ReplicaPhase = (typeof REPLICA_PHASES)[number];

export const OUTCOMES = ["running", "paused", "done", "rolled_back", "superseded", "failed", "aborted"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const DEPLOYMENT_KINDS = ["deploy", "rollback", "file", "rebalance", "remove", "adopt"] as const;

const STACK_TONES: Readonly<Record<StackState, Tone>> = {
  running: "ok",
  degraded: "warn",
  rolling: "info",
  held: "warn",
  failed: "bad",
  removing: "idle",
};

const PHASE_TONES: Readonly<Record<ReplicaPhase, Tone>> = {
  unknown: "idle",
  preparing: "info",
  starting: "info",
  running: "ok",
  unhealthy: "bad",
  waiting: "warn",
  complete: "ok",
  failed: "bad",
  stopped: "idle",
  lost: "bad",
  leaving: "idle",
};

const OUTCOME_TONES: Readonly<Record<Outcome, Tone>> = {
  running: "info",
  paused: "warn",
  done: "ok",
  rolled_back: "warn",
  superseded: "idle",
  failed: "bad",
  aborted: "idle",
};

export const stackTone = (state: StackState): Tone => STACK_TONES[state];
export const phaseTone = (phase: ReplicaPhase): Tone => PHASE_TONES[phase];
export const outcomeTone = (outcome: Outcome): Tone => OUTCOME_TONES[outcome];

/** A word of the server that this page may be too old to know becomes `fallback`. */
export function knownOr<Value extends string>(value: string, known: readonly Value[], fallback: Value): Value {
  return known.find((candidate) => candidate === value) ?? fallback;
}

type ReplicaFacts = {
  id: string;
  slot: string;
  host: { id: string; name: string };
  state: string;
  phase: string;
  isCurrent: boolean;
  reason: string;
};
type ServiceFacts = { state: string; isRemoved: boolean; wanted: number; running: number; replicas: readonly ReplicaFacts[] };

/** What a replica is to its readers: one that is to go is leaving, whatever its program does. */
export function replicaPhase({ state, phase }: Pick<ReplicaFacts, "state" | "phase">): ReplicaPhase {
  return state === "run" ? knownOr(phase, REPLICA_PHASES, "unknown") : "leaving";
}

export function serviceState({ state, isRemoved, wanted, running }: Omit<ServiceFacts, "replicas">): StackState {
  if (isRemoved) return "removing";
  if (state === "failed" || state === "held" || state === "rolling") return state;
  return running < wanted ? "degraded" : "running";
}

/** Replicas host by host, in the order of names; within a host by number. */
export function replicasByHost<Replica extends ReplicaFacts>(replicas: readonly Replica[]): { host: string; replicas: Replica[] }[] {
  const collator = new Intl.Collator("en", { numeric: true });
  const groups = Map.groupBy(replicas, ({ host }) => host.name);
  return [...groups]
    .toSorted(([a], [b]) => collator.compare(a, b))
    .map(([host, found]) => ({ host, replicas: found.toSorted((a, b) => collator.compare(a.slot, b.slot) || (a.id < b.id ? -1 : 1)) }));
}

/** Replicas that somebody should look at. */
export function troubled<Replica extends ReplicaFacts>(replicas: readonly Replica[]): Replica[] {
  return replicas.filter((replica) => ["unhealthy", "waiting", "failed", "lost"].includes(replicaPhase(replica)));
}

export type RolloutAct = "pause" | "continue" | "abort" | "approve";
export type Rollout = { updated: number; wanted: number; acts: RolloutAct[] };

/** How far the rollout of a service is and what may be done to it; null when there is none. */
export function rolloutOf(service: ServiceFacts & { canApprove: boolean; canAbort: boolean }): Rollout | null {
  const { state, isRemoved, wanted, replicas } = service;
  if (isRemoved || !["rolling", "held", "failed"].includes(state)) return null;
  const updated = new Set(
    replicas
      .filter((replica) => replica.isCurrent && ["running", "complete"].includes(replicaPhase(replica)))
      .map((replica) => replica.slot),
  ).size;
  const acts: RolloutAct[] = [
    ...(service.canApprove ? (["approve"] as const) : []),
    state === "rolling" ? "pause" : "continue",
    ...(service.canAbort ? (["abort"] as const) : []),
  ];
  return { updated: Math.min(updated, wanted), wanted, acts };
}

export type DeploymentKind = (typeof DEPLOYMENT_KINDS)[number];

export function deploymentKind(kind: string): DeploymentKind {
  return knownOr(kind, DEPLOYMENT_KINDS, "deploy");
}
