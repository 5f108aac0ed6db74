import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { processStartTicks } from "../host/process-table.ts";
import { describeStartFailure, type StartFailure } from "../runtime/start-failure.ts";
import { containerPaths, type EngineContext, machineOf, publish, publishVolumes, treesDir } from "./context.ts";
import { noSuchContainer } from "./container-store.ts";
import { viewOf } from "./container-view.ts";
import { tellLinkers } from "./hosts-file.ts";
import { holdLimits } from "./namespace-limits.ts";
import { PinnedSources } from "./pinned-sources.ts";
import { type Prepared, prepareStart } from "./prepare-start.ts";
import type { ContainerRecord } from "./record.ts";
import { releaseParts } from "./release-parts.ts";
import { destroyContainer } from "./remove-container.ts";

/** Starts a container for a person: its restart count and back-off begin anew. @throws not_modified when it runs. */
export async function startContainer(context: EngineContext, id: string): Promise<void> {
  await context.locks.run(id, async () => {
    const record = context.store.byId(id);
    if (record === undefined) throw noSuchContainer(id);
    assertStartable(record);
    context.timers.cancel(id);
    await launch(context, context.store.update(id, { restartCount: 0, restartDelayMs: 0, isManuallyStopped: false }));
  });
}

function assertStartable(record: ContainerRecord): void {
  if (record.status === "running") throw new FlotillaError("not_modified", `container ${record.name} is already running`);
  if (record.status === "paused") throw new FlotillaError("conflict", "cannot start a paused container, try unpause instead");
  if (record.status === "removing" || record.status === "dead") {
    throw new FlotillaError("conflict", "container is marked for removal and cannot be started");
  }
}

/**
 * Makes a container run. The caller holds its lock. On failure everything made is undone and the container shows
 * exit code and reason; with AutoRemove it is removed, because `docker run --rm` waits for just that.
 */
export async function launch(context: EngineContext, before: ContainerRecord): Promise<void> {
  const record = context.store.update(before.id, { intent: "start", error: "", isOomKilled: false });
  try {
    const pid = await machineOf(context).quickCgroups.during(() => createProcess(context, record));
    await runHooks(context, record.id);
    await machineOf(context).runtime.start(record.id);
    const startedAtMs = Math.max(context.clock.nowMs(), record.startedAtMs + 1);
    const running = context.store.update(record.id, {
      status: "running",
      intent: "none",
      startedAtMs,
      pid,
      exitCode: 0,
      health: freshHealth(record),
    });
    tellLinkers(context, running.id);
    context.images.markUsed(running.namespace, running.imageId);
    publish(context, running, { action: "start" });
  } catch (error) {
    throw await undoStart(context, record, error);
  }
}

async function createProcess(context: EngineContext, record: ContainerRecord): Promise<number> {
  const pins = new PinnedSources(treesDir(context.config));
  try {
    return await createFrom(context, record, await prepareStart(context, record, pins));
  } finally {
    pins.release();
  }
}

async function createFrom(context: EngineContext, record: ContainerRecord, { spec, warnings, attachment }: Prepared): Promise<number> {
  const { runtime } = machineOf(context);
  for (const warning of warnings) context.logger.warn("a limit of a container was lowered", { containerId: record.id, warning });
  context.store.update(record.id, { attachment });
  publishVolumes(context, record, "mount");
  holdLimits(context, record);
  const paths = containerPaths(context.config, record.id);
  const { OpenStdin: hasStdin, StdinOnce: isStdinOnce, Tty: hasTerminal } = record.config;
  try {
    // On a terminal input never ends, whoever leaves: moby closes it for StdinOnce without a terminal only.
    const stdio = { hasStdin, keepsStdinOpen: hasStdin && (!isStdinOnce || hasTerminal), hasTerminal };
    const pid = await runtime.create({ id: record.id, bundleDir: paths.bundleDir, spec, logPath: paths.logPath, stdio });
    context.store.update(record.id, { pid, pidStartTicks: processStartTicks(pid) ?? 0 });
    return pid;
  } catch (error) {
    const program = spec.process.args[record.hostConfig.Init === true ? 2 : 0] ?? "";
    throw new StartRefused(describeStartFailure(toFlotillaError(error).message, program));
  }
}

/** Carries a runtime's refusal, already in Docker's words, to undoStart. */
class StartRefused extends Error {
  readonly failure: StartFailure;

  constructor(failure: StartFailure) {
    super(failure.error.message);
    this.failure = failure;
  }
}

async function runHooks(context: EngineContext, id: string): Promise<void> {
  const hooks = context.hooks.get(id);
  const record = context.store.byId(id);
  if (hooks === undefined || record === undefined) return;
  const view = viewOf(context, record);
  await Promise.all([...hooks].map((hook) => hook(view)));
}

async function undoStart(context: EngineContext, record: ContainerRecord, reason: unknown): Promise<FlotillaError> {
  const failure: StartFailure = reason instanceof StartRefused ? reason.failure : { exitCode: 128, error: toFlotillaError(reason) };
  const { exitCode, error } = failure;
  const current = context.store.byId(record.id) ?? record;
  await machineOf(context).runtime.delete(record.id);
  await releaseParts(context, current);
  publishVolumes(context, record, "unmount");
  const status = record.startedAtMs === 0 ? "created" : "exited";
  const failed = context.store.update(record.id, {
    status,
    intent: "none",
    pid: 0,
    pidStartTicks: 0,
    exitCode,
    error: error.message,
    attachment: null,
  });
  // It never ran, so who waits for its next exit waits on, as with Docker.
  context.waiters.settle(record.id, ["not-running"], { StatusCode: exitCode, Error: { Message: error.message } });
  if (failed.hostConfig.AutoRemove) await destroyContainer(context, failed, { removesVolumes: true });
  return error;
}

/** A container with a health check begins as `starting`; one whose check is NONE has no health. */
function freshHealth(record: ContainerRecord): ContainerRecord["health"] {
  const test = record.config.Healthcheck?.Test ?? [];
  return test.length === 0 || test[0] === "NONE" ? null : { Status: "starting", FailingStreak: 0, Log: [] };
}
