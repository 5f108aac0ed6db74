// What to do next about one replica, from what is wanted and what is there. Pure.
import { type ReplicaState, sayReplica } from "@flotilla/protocol";
import type { ContainerView } from "../engine/containers-port.ts";

/** What this host remembers of a replica; durable, so that a crash of the agent forgets no restart. */
export type ReplicaMemory = {
  /** Starts of the container. */
  starts: number;
  /** Attempts, of any step, that failed one after the other: decides the delay. */
  failures: number;
  /** Nothing is tried before. */
  notBeforeMs: number;
  /** Why the last attempt failed; "" when it did not. */
  reason: string;
  /** The end of the container, as exit code and start time, that was counted already. */
  countedEnd: string;
  /** The run of the container that the last counted start came after, in the same form. */
  startedAfter: string;
};

export const FRESH: ReplicaMemory = { starts: 0, failures: 0, notBeforeMs: 0, reason: "", countedEnd: "", startedAfter: "" };

export type Container = Pick<ContainerView, "id" | "status" | "exitCode" | "startedAtMs" | "health" | "labels" | "imageId">;

export type ReplicaScene = {
  wanted: ReplicaState | undefined;
  container: Container | undefined;
  /** Without a container: one that nobody looks after and that is to become this replica's. */
  adoptable: Pick<ContainerView, "id"> | undefined;
  memory: ReplicaMemory;
  hasImage: boolean;
  /** What has not arrived yet and is on its way: `waits for network shop_default`; undefined: nothing. */
  missing: string | undefined;
  /** This host has not heard of its control plane for so long. */
  silentForMs: number;
  nowMs: number;
};

export type ReplicaStep =
  | { kind: "none" }
  /** Nothing before then, unless something changes. */
  | { kind: "wait"; untilMs: number }
  | { kind: "pull" }
  | { kind: "adopt" }
  | { kind: "create" }
  | { kind: "start" }
  /** The container ended or does not serve: it is counted, and decides how long to wait. */
  | { kind: "count"; reason: string; end: string }
  | { kind: "stop"; because: string }
  /** Container, files and memory. */
  | { kind: "remove" };

/** Networks and files come with the same document, but not in the same instant. */
const LOOK_AGAIN_MS = 100;
const MIN_DELAY_MS = 100;
const MAX_DELAY_MS = 60_000;
/** After so long a run the next failure is the first one again, as in Docker. */
const LONG_RUN_MS = 10_000;

/** Equal input gives equal output; called again after each step and whenever something changed. */
export function planReplica(scene: ReplicaScene): ReplicaStep {
  const { wanted, container, memory, nowMs } = scene;
  if (wanted === undefined) return { kind: "remove" };
  if (container !== undefined && container.labels["io.flotilla.revision"] !== wanted.revision) return { kind: "remove" };
  if (container?.status === "removing" || container?.status === "dead") return { kind: "remove" };
  if (isSilent(scene))
    return container !== undefined && isUp(container) ? { kind: "stop", because: "no control plane" } : waitForControl(wanted, scene);
  if (container !== undefined && isUp(container)) return planRunning(scene, container);
  if (container !== undefined && container.startedAtMs > 0) {
    const end = planEnded(scene, { wanted, container });
    if (end !== undefined) return end;
  }
  if (nowMs < memory.notBeforeMs) return { kind: "wait", untilMs: memory.notBeforeMs };
  if (container === undefined && scene.adoptable !== undefined) return { kind: "adopt" };
  if (scene.missing !== undefined) return { kind: "wait", untilMs: nowMs + LOOK_AGAIN_MS };
  if (container !== undefined) return { kind: "start" };
  return scene.hasImage ? { kind: "create" } : { kind: "pull" };
}

const isUp = ({ status }: Container): boolean => status === "running" || status === "paused" || status === "restarting";

/** Whether the replica may not run because its control plane may have replaced it elsewhere. */
export function isSilent({ wanted, silentForMs }: Pick<ReplicaScene, "wanted" | "silentForMs">): boolean {
  return wanted !== undefined && wanted.stopsAfterMs !== null && silentForMs >= wanted.stopsAfterMs;
}

/** It is asked again when a control plane is there. */
function waitForControl({ stopsAfterMs }: ReplicaState, { nowMs }: ReplicaScene): ReplicaStep {
  return { kind: "wait", untilMs: nowMs + Math.max(1_000, stopsAfterMs ?? 0) };
}

function planRunning({ wanted, silentForMs, nowMs, memory }: ReplicaScene, container: Container): ReplicaStep {
  if (container.health?.Status === "unhealthy") {
    const end = endOf(container);
    if (memory.countedEnd !== end) return { kind: "count", reason: sayReplica("health_fails"), end };
    if (nowMs >= memory.notBeforeMs) return { kind: "stop", because: sayReplica("health_fails") };
    return { kind: "wait", untilMs: memory.notBeforeMs };
  }
  const limit = wanted?.stopsAfterMs ?? null;
  return limit === null ? { kind: "none" } : { kind: "wait", untilMs: nowMs + Math.max(1_000, limit - silentForMs) };
}

/** Of a container that ran: whether it stays as it is. undefined: it is to be started again. */
function planEnded(
  { memory }: ReplicaScene,
  { wanted, container }: { wanted: ReplicaState; container: Container },
): ReplicaStep | undefined {
  if (staysEnded(wanted, { container, memory })) return { kind: "none" };
  const end = endOf(container);
  return memory.countedEnd === end ? undefined : { kind: "count", reason: sayReplica("ended", { exitCode: container.exitCode }), end };
}

/** Whether a container that has ended is not started again. */
export function staysEnded({ restart }: ReplicaState, { container, memory }: { container: Container; memory: ReplicaMemory }): boolean {
  if (restart.condition === "none") return true;
  if (restart.condition === "on-failure" && container.exitCode === 0) return true;
  return restart.maxAttempts !== null && memory.starts > restart.maxAttempts;
}

/** Names one run of a container, so that its end counts once. */
export function endOf({ id, startedAtMs }: Container): string {
  return `${id} ${startedAtMs}`;
}

/**
 * The memory when a container is about to be started. One that is to be started once more after the same run was never up: the agent was killed
 * inside the start, or it failed. Both are no restart.
 */
export function beforeStart(memory: ReplicaMemory, container: Container): ReplicaMemory {
  const startedAfter = endOf(container);
  return memory.startedAfter === startedAfter ? memory : { ...memory, starts: memory.starts + 1, startedAfter };
}

/** The memory after a failure: twice as long as the last time, from the beginning again after a long run. */
export function afterFailure(
  memory: ReplicaMemory,
  failure: { reason: string; end: string; ranMs: number; delayMs: number; nowMs: number },
): ReplicaMemory {
  const { reason, end, ranMs, delayMs, nowMs } = failure;
  const failures = ranMs >= LONG_RUN_MS ? 1 : memory.failures + 1;
  const wait = Math.min(MAX_DELAY_MS, Math.max(MIN_DELAY_MS, delayMs) * 2 ** Math.min(failures - 1, 20));
  return { ...memory, failures, reason, countedEnd: end, notBeforeMs: nowMs + wait };
}
