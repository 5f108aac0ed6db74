import { toFlotillaError } from "@flotilla/core";
import { readOomKills } from "../host/cgroup.ts";
import type { ObservedExit } from "../host/exit-files.ts";
import { type EngineContext, machineOf, publish, publishVolumes } from "./context.ts";
import { type ContainerRecord, isAlive } from "./record.ts";
import { releaseParts } from "./release-parts.ts";
import { destroyContainer } from "./remove-container.ts";
import { planRestart } from "./restart-policy.ts";
import { launch } from "./start-container.ts";

/** Takes note of an exit: once, whoever sees it first. Must not be called with the container's lock held. */
export async function handleExit(context: EngineContext, exit: ObservedExit): Promise<void> {
  if (context.isClosed) return;
  await context.locks.run(exit.id, async () => {
    const record = context.store.byId(exit.id);
    if (context.isClosed || record === undefined || !isAlive(record)) return;
    await settleExit(context, record, exit);
  });
}

/** Records the exit, releases what the run held, and does what --rm or the restart policy say. Under the lock. */
export async function settleExit(context: EngineContext, record: ContainerRecord, exit: ObservedExit): Promise<void> {
  const { cgroups } = machineOf(context);
  const isOomKilled = record.isOomKilled || readOomKills(cgroups, record.cgroupPath) > 0;
  const finishedAtMs = Math.max(exit.finishedAtMs, record.startedAtMs);
  const ranMs = finishedAtMs - record.startedAtMs;
  const decision = planRestart({
    policy: record.hostConfig.RestartPolicy,
    exitCode: exit.exitCode,
    isManuallyStopped: record.isManuallyStopped,
    restartCount: record.restartCount,
    ranMs,
    previousDelayMs: record.restartDelayMs,
  });
  const willRestart = decision.kind === "restart";
  if (isOomKilled && !record.isOomKilled) publish(context, record, { action: "oom" });
  const ended = context.store.update(record.id, {
    status: willRestart ? "restarting" : "exited",
    intent: "release",
    pid: 0,
    pidStartTicks: 0,
    exitCode: exit.exitCode,
    finishedAtMs,
    isOomKilled,
    attachment: null,
    restartDelayMs: willRestart ? decision.delayMs : record.restartDelayMs,
  });
  publish(context, ended, {
    action: "die",
    attributes: { exitCode: String(exit.exitCode), execDuration: String(Math.trunc(ranMs / 1000)) },
  });
  await finishExit(context, ended);
}

/** The second half of an exit: releases what the run held, tells who waits, restarts or removes. Under the lock. */
export async function finishExit(context: EngineContext, ended: ContainerRecord): Promise<void> {
  await releaseParts(context, ended);
  publishVolumes(context, ended, "unmount");
  const released = context.store.update(ended.id, { intent: "none" });
  const willRestart = released.status === "restarting";
  context.waiters.settle(ended.id, willRestart ? ["next-exit"] : ["next-exit", "not-running"], { StatusCode: ended.exitCode, Error: null });
  if (willRestart) scheduleRestart(context, released, released.restartDelayMs);
  else if (released.hostConfig.AutoRemove) await destroyContainer(context, released, { removesVolumes: true });
}

/** Starts a container by its policy after a delay, unless somebody stops, starts or removes it before. */
export function scheduleRestart(context: EngineContext, record: ContainerRecord, delayMs: number): void {
  context.timers.schedule(record.id, delayMs, () => {
    restart(context, record.id).catch((error: unknown) => {
      context.logger.error("a container could not be restarted by its policy", {
        containerId: record.id,
        error: toFlotillaError(error).message,
      });
    });
  });
}

async function restart(context: EngineContext, id: string): Promise<void> {
  await context.locks.run(id, async () => {
    const record = context.store.byId(id);
    if (context.isClosed || record?.status !== "restarting") return;
    await launch(context, context.store.update(id, { restartCount: record.restartCount + 1 }));
  });
}
