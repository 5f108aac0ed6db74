// What to do with each container after the agent (or the machine) came back. Pure: records and observations in,
// operations out, so that every way to be cut off is a row of a table in the test.
import type { ObservedExit } from "../host/exit-files.ts";
import type { ContainerRecord } from "./record.ts";
import { startsWithAgent } from "./restart-policy.ts";

export type RecoveryObservation = {
  /** The exit file that conmon left. */
  exit: ObservedExit | undefined;
  /** The process that the record names exists: same pid, same start time. */
  isProcessAlive: boolean;
  /** What the runtime says of it; undefined when it knows nothing. */
  runtime: { status: string; pid: number } | undefined;
};

export type RecoveryOperation =
  /** Creation was cut off: nobody was told of it. */
  | { kind: "discard" }
  | { kind: "finish-removal" }
  /** It runs: keep watching. */
  | { kind: "adopt" }
  /** Its start was cut off after its first instruction. */
  | { kind: "adopt-started"; pid: number }
  /** Its start was cut off before. */
  | { kind: "undo-start" }
  /** It ended while nobody looked. */
  | { kind: "settle-exit"; exit: ObservedExit }
  /** Its end was noted; what the run held was not released yet. */
  | { kind: "finish-exit" }
  /** By its policy it starts with the agent. */
  | { kind: "start" }
  | { kind: "leave" };

/** Exit code of a container whose end nobody recorded: the machine stopped, or its shim was killed. Docker says so too. */
const LOST_EXIT_CODE = 255;

export function planRecovery(record: ContainerRecord, seen: RecoveryObservation, nowMs: number): RecoveryOperation {
  if (record.intent === "create") return { kind: "discard" };
  if (record.intent === "remove" || record.intent === "remove-volumes" || record.status === "removing") return { kind: "finish-removal" };
  if (record.intent === "start") return planCutStart(seen);
  if (record.intent === "release") return { kind: "finish-exit" };
  if (record.status === "running" || record.status === "paused") {
    if (seen.exit !== undefined) return { kind: "settle-exit", exit: seen.exit };
    if (seen.isProcessAlive) return { kind: "adopt" };
    return { kind: "settle-exit", exit: { id: record.id, exitCode: LOST_EXIT_CODE, finishedAtMs: nowMs } };
  }
  if (record.status === "restarting") return { kind: "start" };
  const facts = { policy: record.hostConfig.RestartPolicy, isManuallyStopped: record.isManuallyStopped, hasRun: record.startedAtMs > 0 };
  return record.status === "exited" && startsWithAgent(facts) ? { kind: "start" } : { kind: "leave" };
}

function planCutStart(seen: RecoveryObservation): RecoveryOperation {
  if (seen.runtime?.status === "running" && seen.exit === undefined) return { kind: "adopt-started", pid: seen.runtime.pid };
  return { kind: "undo-start" };
}
