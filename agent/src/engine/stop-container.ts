import { FlotillaError } from "@flotilla/core";
import { kill as sendSignal } from "../host/libc.ts";
import { isSameProcess } from "../host/process-table.ts";
import { noSuchContainer } from "./container-store.ts";
import { type EngineContext, machineOf, publish } from "./context.ts";
import { type ContainerRecord, isAlive, isRunning } from "./record.ts";
import { parseSignal, type Signal, SIGKILL, SIGTERM } from "./signals.ts";
import { startContainer } from "./start-container.ts";

export type StopOptions = { timeoutSeconds?: number; signal?: Signal };

const DEFAULT_TIMEOUT_S = 10;
/** After SIGKILL a process ends at once unless the kernel holds it (a dead NFS server, a frozen cgroup). */
const KILL_PATIENCE_MS = 30_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Signal, time-out, SIGKILL. @throws not_modified when it does not run. */
export async function stopContainer(context: EngineContext, id: string, options: StopOptions): Promise<void> {
  const record = recordOf(context, id);
  if (!isRunning(record)) throw new FlotillaError("not_modified", `container ${record.name} is already stopped`);
  if (record.status === "restarting" && (await cancelRestart(context, id))) {
    publish(context, record, { action: "stop" });
    return;
  }
  await endProcess(context, id, options);
  const ended = context.store.byId(id) ?? record;
  publish(context, ended, { action: "stop" });
}

/** Waits for the end of the container's process, first politely. Returns at once when it ends meanwhile. */
async function endProcess(context: EngineContext, id: string, options: StopOptions): Promise<void> {
  const record = context.store.update(id, { isManuallyStopped: true });
  const stopped = watchExit(context, id);
  const signal = options.signal ?? stopSignalOf(record);
  const seconds = options.timeoutSeconds ?? record.config.StopTimeout ?? DEFAULT_TIMEOUT_S;
  await signalProcess(context, recordOf(context, id), signal);
  if (seconds < 0) {
    await stopped.promise;
    return;
  }
  if (await stopped.within(Math.min(seconds * 1000, MAX_TIMER_MS))) return;
  const current = context.store.byId(id);
  if (current !== undefined && isAlive(current)) await signalProcess(context, current, SIGKILL);
  if (await stopped.within(KILL_PATIENCE_MS)) return;
  throw new FlotillaError("internal", `cannot stop container: ${id}: tried to kill container, but did not receive an exit event`);
}

type ExitWatch = { promise: Promise<void>; within(ms: number): Promise<boolean> };

/** Settles when the container has ended and everything of that run is released (and, with AutoRemove, removed). */
function watchExit(context: EngineContext, id: string): ExitWatch {
  const record = recordOf(context, id);
  const gone = new AbortController();
  const condition = record.hostConfig.AutoRemove ? "removed" : "next-exit";
  const promise = context.waiters.add(id, condition, gone.signal).then(() => undefined);
  return {
    promise,
    within: async (ms) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(false), ms);
      });
      const isDone = await Promise.race([promise.then(() => true), late]);
      clearTimeout(timer);
      return isDone;
    },
  };
}

/** Takes a container out of its restart loop. False when it was started just before. */
async function cancelRestart(context: EngineContext, id: string): Promise<boolean> {
  return await context.locks.run(id, async () => {
    const record = recordOf(context, id);
    if (record.status !== "restarting") return false;
    context.timers.cancel(id);
    context.store.update(id, { status: "exited", isManuallyStopped: true });
    context.waiters.settle(id, ["not-running"], { StatusCode: record.exitCode, Error: null });
    return true;
  });
}

/** @throws conflict when it does not run. */
export async function killContainer(context: EngineContext, id: string, signal: Signal): Promise<void> {
  const record = recordOf(context, id);
  if (record.status === "restarting" && (await cancelRestart(context, id))) return;
  if (!isAlive(record)) throw notRunning(record);
  const isMeantToEnd = signal.number === SIGKILL.number || signal.number === stopSignalOf(record).number;
  const current = isMeantToEnd ? context.store.update(id, { isManuallyStopped: true }) : record;
  await signalProcess(context, current, signal);
}

/** Stops (when it runs) and starts. */
export async function restartContainer(context: EngineContext, id: string, options: StopOptions): Promise<void> {
  const record = recordOf(context, id);
  // With AutoRemove the stop would remove what is to be started again.
  if (record.hostConfig.AutoRemove && isRunning(record))
    context.store.update(id, { hostConfig: { ...record.hostConfig, AutoRemove: false } });
  try {
    if (isRunning(record)) await stopContainer(context, id, options);
    await startContainer(context, id);
  } finally {
    const current = context.store.byId(id);
    if (record.hostConfig.AutoRemove && current !== undefined) {
      context.store.update(id, { hostConfig: { ...current.hostConfig, AutoRemove: true } });
    }
  }
  publish(context, recordOf(context, id), { action: "restart" });
}

/** Ends a container at once, for `rm --force`. Resolves when it has ended; nothing when it does not run. */
export async function forceStop(context: EngineContext, id: string): Promise<void> {
  const record = context.store.byId(id);
  if (record === undefined || !isRunning(record)) return;
  if (record.status === "restarting" && (await cancelRestart(context, id))) return;
  await endProcess(context, id, { signal: SIGKILL });
}

async function signalProcess(context: EngineContext, record: ContainerRecord, signal: Signal): Promise<void> {
  publish(context, record, { action: "kill", attributes: { signal: String(signal.number) } });
  const sharesPids = record.hostConfig.PidMode !== "";
  // Without a pid namespace of its own, the end of the first process does not end the others.
  if (sharesPids && signal.number === SIGKILL.number) await killAll(context, record);
  else if (isSameProcess(record.pid, record.pidStartTicks)) sendSignal(record.pid, signal.number);
  const resumes = signal.number === SIGKILL.number || signal.number === stopSignalOf(record).number;
  if (record.status === "paused" && resumes) await resumeForEnd(context, record.id);
}

async function killAll(context: EngineContext, record: ContainerRecord): Promise<void> {
  try {
    await machineOf(context).runtime.killAll(record.id, SIGKILL.number);
  } catch (error) {
    // It ended by itself since, and the release of its cgroup ends the others: the runtime knows it no more.
    if (isSameProcess(record.pid, record.pidStartTicks)) throw error;
  }
}

/** A frozen process takes no signal: it is let go so that it can end. */
async function resumeForEnd(context: EngineContext, id: string): Promise<void> {
  await context.locks.run(id, async () => {
    const record = context.store.byId(id);
    if (record?.status !== "paused") return;
    await machineOf(context).runtime.resume(id);
    publish(context, context.store.update(id, { status: "running" }), { action: "unpause" });
  });
}

export function stopSignalOf(record: ContainerRecord): Signal {
  const text = record.config.StopSignal;
  return text === undefined || text === "" ? SIGTERM : parseSignal(text);
}

function recordOf(context: EngineContext, id: string): ContainerRecord {
  const record = context.store.byId(id);
  if (record === undefined) throw noSuchContainer(id);
  return record;
}

function notRunning(record: ContainerRecord): FlotillaError {
  return new FlotillaError("conflict", `cannot kill container: ${record.name}: container ${record.id} is not running`);
}
