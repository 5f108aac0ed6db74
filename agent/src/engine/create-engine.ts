import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { FlotillaError, KeyedLock, toFlotillaError } from "@flotilla/core";
import { detectCgroups, removeEmptyCgroup } from "../host/cgroup.ts";
import { ExitFiles } from "../host/exit-files.ts";
import { isSameProcess } from "../host/process-table.ts";
import { QuickCgroups } from "../host/quick-cgroups.ts";
import { chooseRuntime, findProgram, sealRuntime } from "../runtime/choose-runtime.ts";
import { RuntimeDriver } from "../runtime/driver.ts";
import { readHostFacts } from "../runtime/host-facts.ts";
import { adoptContainer, pauseContainer, renameContainer, unpauseContainer, updateContainer } from "./change-container.ts";
import { connectNetwork, disconnectNetwork } from "./connect-network.ts";
import { ContainerStore } from "./container-store.ts";
import { viewOf } from "./container-view.ts";
import type { Containers, StartHook, WaitCondition, WaitResult } from "./containers-port.ts";
import { cgroupParent, type EngineContext, type EngineDeps, type Machine, machineOf } from "./context.ts";
import { createContainer } from "./create-container.ts";
import { assertEnterable } from "./guard-container.ts";
import { handleExit } from "./handle-exit.ts";
import { inspectRecord } from "./inspect-container.ts";
import { listContainers } from "./list-containers.ts";
import { applyLimits } from "./namespace-limits.ts";
import { openTree } from "./open-tree.ts";
import { pruneContainers } from "./prune-containers.ts";
import { type ContainerRecord, isAlive, isRunning } from "./record.ts";
import { recoverEngine } from "./recover-engine.ts";
import { cannotRemove, removeStopped } from "./remove-container.ts";
import { RestartTimers } from "./restart-timers.ts";
import { startContainer } from "./start-container.ts";
import { forceStop, killContainer, restartContainer, stopContainer } from "./stop-container.ts";
import { Waiters } from "./waiters.ts";

export type { EngineDeps } from "./context.ts";

/**
 * The container engine: lifecycle, records, recovery. Nothing touches the machine before recover(), and containers never
 * depend on the agent being up: close() only stops watching.
 */
export function createEngine(deps: EngineDeps): Containers {
  const context: EngineContext = {
    ...deps,
    store: new ContainerStore(deps.db, deps.logger),
    locks: new KeyedLock(),
    waiters: new Waiters(),
    timers: new RestartTimers(),
    hooks: new Map(),
    machine: undefined,
    suspects: new Set(),
    isClosed: false,
  };
  return { ...verbs(context), ...queries(context), ...lifetime(context) };
}

type Verbs =
  | "create" | "start" | "stop" | "restart" | "kill" | "pause" | "unpause" | "rename" | "adopt" | "remove" | "update" | "assertEnterable" | "applyLimits" |
  "prune" | "connect" | "disconnect"; // prettier-ignore

function verbs(context: EngineContext): Pick<Containers, Verbs> {
  const idOf = (namespace: string, ref: string): string => context.store.get(namespace, ref).id;
  return {
    create: (request) => createContainer(context, request),
    start: async (namespace, ref) => await startContainer(context, idOf(namespace, ref)),
    stop: async (namespace, ref, options) => await stopContainer(context, idOf(namespace, ref), options),
    restart: async (namespace, ref, options) => await restartContainer(context, idOf(namespace, ref), options),
    kill: async (namespace, ref, signal) => await killContainer(context, idOf(namespace, ref), signal),
    pause: async (namespace, ref) => await pauseContainer(context, idOf(namespace, ref)),
    unpause: async (namespace, ref) => await unpauseContainer(context, idOf(namespace, ref)),
    rename: async (namespace, ref, name) => await renameContainer(context, idOf(namespace, ref), name),
    adopt: async (namespace, ref, labels) => await adoptContainer(context, idOf(namespace, ref), labels),
    update: async (namespace, ref, change) => await updateContainer(context, idOf(namespace, ref), change),
    assertEnterable: (namespace, ref, how) => assertEnterable(context, context.store.get(namespace, ref), how),
    applyLimits: (namespaces) => applyLimits(context, namespaces),
    connect: async (namespace, ref, endpoint) => await connectNetwork(context, idOf(namespace, ref), endpoint),
    disconnect: async (namespace, ref, { networkName }) => await disconnectNetwork(context, idOf(namespace, ref), networkName),
    prune: (namespace, filters) => pruneContainers(context, namespace, filters),
    remove: async (namespace, ref, options) => {
      if (options.link) throw new FlotillaError("not_implemented", "links between containers are not supported by this engine");
      const record = context.store.get(namespace, ref);
      if (!options.force && isRunning(record)) throw cannotRemove(record);
      await forceStop(context, record.id);
      // A container with AutoRemove is gone by its own end.
      if (context.store.byId(record.id) !== undefined) await removeStopped(context, record.id, { removesVolumes: options.volumes });
    },
  };
}

type Queries =
  | "wait"
  | "list"
  | "inspect"
  | "get"
  | "labelled"
  | "views"
  | "requestedAddresses"
  | "onBeforeStart"
  | "openTree"
  | "setHealth"
  | "runtimePath"
  | "expectProcess";

function queries(context: EngineContext): Pick<Containers, Queries> {
  return {
    wait: (namespace, ref, ...[condition, signal]) => ({ done: wait(context, context.store.get(namespace, ref), { condition, signal }) }),
    list: (namespace, options) => listContainers(context, namespace, options),
    inspect: async (namespace, ref, options) => {
      const record = context.store.get(namespace, ref);
      const inspect = inspectRecord(context, record);
      if (!options.size) return inspect;
      const size = await context.images.rootfsUsage(record.id);
      return { ...inspect, SizeRw: size.sizeRwBytes, SizeRootFs: size.sizeRootBytes };
    },
    get: (namespace, ref) => viewOf(context, context.store.get(namespace, ref)),
    labelled: (label, value) => context.store.labelled(label, value).map((record) => viewOf(context, record)),
    views: (namespace) => context.store.all(namespace).map((record) => viewOf(context, record)),
    requestedAddresses: (namespace, networkName) => {
      const own = context.store.everything().filter((record) => record.namespace === namespace);
      const endpoints = own.flatMap((record) => record.endpoints).filter((endpoint) => endpoint.networkName === networkName);
      return new Set(endpoints.flatMap(({ ipv4Address }) => ipv4Address ?? []));
    },
    onBeforeStart: (containerId, hook) => addHook(context, containerId, hook),
    openTree: async (namespace, ref) => await openTree(context, context.store.get(namespace, ref)),
    expectProcess: () => machineOf(context).quickCgroups.soon(),
    runtimePath: () => machineOf(context).runtime.paths.runtimePath,
    setHealth: (containerId, health) => void context.store.update(containerId, { health }),
  };
}

function wait(
  context: EngineContext,
  record: ContainerRecord,
  how: { condition: WaitCondition; signal: AbortSignal },
): Promise<WaitResult> {
  if (how.condition === "not-running" && !isRunning(record) && record.intent !== "start") {
    const error = record.error === "" ? null : { Message: record.error };
    return Promise.resolve({ StatusCode: record.exitCode, Error: error });
  }
  return context.waiters.add(record.id, how.condition, how.signal);
}

function addHook(context: EngineContext, id: string, hook: StartHook): () => void {
  const hooks = context.hooks.get(id) ?? new Set();
  context.hooks.set(id, hooks.add(hook));
  return () => {
    hooks.delete(hook);
    if (hooks.size === 0 && context.hooks.get(id) === hooks) context.hooks.delete(id);
  };
}

/** How often running containers are looked at besides the watch, which may miss what a killed shim cannot write. */
const SWEEP_MS = 2_500;

function lifetime(context: EngineContext): Pick<Containers, "recover" | "close"> {
  let sweep: NodeJS.Timeout | undefined;
  const observe = (exit: { id: string; exitCode: number; finishedAtMs: number }): void => {
    handleExit(context, exit).catch((error: unknown) => {
      context.logger.error("the exit of a container could not be handled", { containerId: exit.id, error: toFlotillaError(error).message });
    });
  };
  return {
    recover: async () => {
      context.machine = await openMachine(context);
      await recoverEngine(context);
      const { exits } = context.machine;
      exits.watch(observe);
      // What ended between the look of recoverEngine and the watch.
      for (const exit of exits.list()) observe(exit);
      sweep = setInterval(() => sweepOnce(context, observe), SWEEP_MS);
      sweep.unref();
    },
    close: async () => {
      context.isClosed = true;
      clearInterval(sweep);
      context.timers.cancelAll();
      context.machine?.exits.close();
      await Promise.all(context.store.everything().map((record) => context.locks.run(record.id, async () => undefined)));
      if (context.machine !== undefined) removeEmptyCgroup(context.machine.cgroups, cgroupParent(context.config));
    },
  };
}

const LOST_EXIT_CODE = 255;

function sweepOnce(context: EngineContext, observe: (exit: { id: string; exitCode: number; finishedAtMs: number }) => void): void {
  const { exits } = machineOf(context);
  for (const record of context.store.everything().filter(isAlive)) {
    if (record.intent === "start" || isSameProcess(record.pid, record.pidStartTicks)) continue;
    const exit = exits.read(record.id);
    if (exit !== undefined) observe(exit);
    // Twice gone and no exit file: the shim was killed before it could write one.
    else if (context.suspects.has(record.id)) observe({ id: record.id, exitCode: LOST_EXIT_CODE, finishedAtMs: context.clock.nowMs() });
    else context.suspects.add(record.id);
  }
}

async function openMachine(context: EngineContext): Promise<Machine> {
  const { config, logger } = context;
  const cgroups = detectCgroups();
  const conmonPath = findProgram("conmon");
  if (conmonPath === undefined) throw new FlotillaError("unavailable", "conmon is not installed: install the Debian package conmon");
  const runtimePath = await chooseRuntime(cgroups, cgroupParent(config), logger);
  const root = join(config.runDir, "runtime");
  const exitDir = join(config.runDir, "exits");
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const exits = new ExitFiles(exitDir);
  const sealedPath = await sealRuntime(runtimePath, logger);
  logger.info("container runtime chosen", { runtime: runtimePath, conmon: conmonPath, cgroups: cgroups.mode });
  return {
    cgroups: detectCgroups(),
    facts: readHostFacts(cgroups, logger),
    exits,
    quickCgroups: new QuickCgroups(cgroups),
    runtime: new RuntimeDriver({
      kind: basename(runtimePath),
      runtimePath: sealedPath,
      conmonPath,
      root,
      exitDir,
      seccompDir: join(config.runDir, "seccomp"),
    }),
  };
}
