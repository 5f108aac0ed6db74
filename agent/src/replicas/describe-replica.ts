import { MAX_REPLICA_TEXT, type ObservedReplica, type ReplicaPhase, type ReplicaState, sayReplica } from "@flotilla/protocol";
import { type Container, isSilent, type ReplicaMemory, staysEnded } from "./plan-replica.ts";

export type ReplicaFacts = {
  wanted: ReplicaState;
  container: Container | undefined;
  memory: ReplicaMemory;
  silentForMs: number;
  progress: string;
  /** Of the last failure. */
  log: readonly string[];
  healthOutput: string;
};

/** What the control plane is told of a replica. Pure. */
export function describeReplica(facts: ReplicaFacts): ObservedReplica {
  const { wanted, container, memory, progress, log } = facts;
  const phase = phaseOf(facts);
  const isWell = phase === "running" || phase === "complete";
  const hasEnded = container !== undefined && container.startedAtMs > 0 && container.status === "exited";
  return {
    revision: wanted.revision,
    phase,
    containerId: container?.id ?? null,
    imageId: container?.imageId ?? null,
    restarts: Math.max(0, memory.starts - 1),
    exitCode: hasEnded ? container.exitCode : null,
    reason: isWell ? "" : reasonOf(facts, phase).slice(0, MAX_REPLICA_TEXT),
    lastFailure: memory.failures === 0 ? "" : memory.reason.slice(0, MAX_REPLICA_TEXT),
    progress: phase === "preparing" ? progress.slice(0, 256) : "",
    log: isWell && memory.failures === 0 ? [] : [...log],
    healthOutput: isWell && memory.failures === 0 ? "" : lastHealthOutput(container) || facts.healthOutput,
  };
}

/** Of one that is not wanted any more and still there: until it is gone nobody takes its place. Pure. */
export function describeLeaving({ id, imageId, status, labels }: Container): ObservedReplica {
  return {
    revision: labels["io.flotilla.revision"] ?? "",
    phase: status === "running" || status === "paused" ? "running" : "stopped",
    containerId: id,
    imageId,
    restarts: 0,
    exitCode: null,
    reason: "",
    lastFailure: "",
    progress: "",
    log: [],
    healthOutput: "",
  };
}

function phaseOf({ wanted, container, memory, silentForMs }: ReplicaFacts): ReplicaPhase {
  const isUp = container?.status === "running" || container?.status === "paused";
  if (isUp) {
    const health = container.health?.Status;
    if (health === "unhealthy") return "unhealthy";
    return health === "starting" ? "starting" : "running";
  }
  if (isSilent({ wanted, silentForMs })) return "stopped";
  if (container !== undefined && container.startedAtMs > 0) {
    if (!staysEnded(wanted, { container, memory })) return "waiting";
    return container.exitCode === 0 ? "complete" : "failed";
  }
  return memory.failures > 0 ? "waiting" : "preparing";
}

function reasonOf({ memory, container }: ReplicaFacts, phase: ReplicaPhase): string {
  if (phase === "stopped") return sayReplica("silent");
  if (phase === "unhealthy") return sayReplica("health_fails");
  if (phase === "failed") return sayReplica("ended", { exitCode: container?.exitCode ?? 0 });
  return phase === "waiting" ? memory.reason : "";
}

/** What the last health check that failed said; "" when none did. */
export function lastHealthOutput(container: Container | undefined): string {
  const failed = container?.health?.Log.findLast(({ ExitCode }) => ExitCode !== 0);
  return failed === undefined ? "" : failed.Output.slice(0, MAX_REPLICA_TEXT);
}
