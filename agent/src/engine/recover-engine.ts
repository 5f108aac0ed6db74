import { lstatSync, readdirSync, rmdirSync, rmSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { toFlotillaError } from "@flotilla/core";
import { type CgroupLayout, listCgroups, removeCgroup, removeEmptyCgroup } from "../host/cgroup.ts";
import { kill } from "../host/libc.ts";
import { unmountBelow } from "../host/mounts.ts";
import { findProcesses, isSameProcess, processStartTicks } from "../host/process-table.ts";
import { cgroupParent, containerPaths, type EngineContext, machineOf, publish, treesDir } from "./context.ts";
import { finishExit, scheduleRestart, settleExit } from "./handle-exit.ts";
import { planRecovery, type RecoveryObservation, type RecoveryOperation } from "./plan-recovery.ts";
import type { ContainerRecord } from "./record.ts";
import { releaseParts } from "./release-parts.ts";
import { destroyContainer, destroyParts } from "./remove-container.ts";

type Executors = {
  [K in RecoveryOperation["kind"]]: (
    context: EngineContext,
    record: ContainerRecord,
    operation: Extract<RecoveryOperation, { kind: K }>,
  ) => Promise<void>;
};

const EXECUTORS: Executors = {
  discard: async (context, record) => {
    await destroyParts(context, record, { removesVolumes: true });
    context.store.delete(record.id);
  },
  "finish-removal": async (context, record) => {
    await releaseParts(context, record);
    await destroyContainer(context, record, { removesVolumes: record.intent === "remove-volumes" || record.hostConfig.AutoRemove });
  },
  adopt: async () => undefined,
  "adopt-started": async (context, record, { pid }) => {
    const startedAtMs = Math.max(context.clock.nowMs(), record.startedAtMs + 1);
    const change = { status: "running", intent: "none", pid, pidStartTicks: processStartTicks(pid) ?? 0, startedAtMs } as const;
    publish(context, context.store.update(record.id, change), { action: "start" });
  },
  "undo-start": async (context, record) => {
    // A shim whose runtime is still creating the container would go on beside us: both name the bundle as an argument.
    for (const pid of findProcesses(containerPaths(context.config, record.id).bundleDir)) kill(pid, 9);
    await machineOf(context).runtime.delete(record.id);
    await releaseParts(context, record);
    // A restart by policy that was cut off is made good; a start that a person asked for was answered by an error.
    const status = record.status === "restarting" ? "restarting" : record.startedAtMs === 0 ? "created" : "exited";
    const undone = context.store.update(record.id, { status, intent: "none", pid: 0, pidStartTicks: 0, attachment: null });
    if (status === "restarting") scheduleRestart(context, undone, 0);
    else if (record.hostConfig.AutoRemove) await destroyContainer(context, undone, { removesVolumes: true });
  },
  "settle-exit": async (context, record, { exit }) => await settleExit(context, record, exit),
  "finish-exit": async (context, record) => await finishExit(context, record),
  start: async (context, record) => {
    scheduleRestart(context, context.store.update(record.id, { status: "restarting", isManuallyStopped: false }), 0);
  },
  leave: async () => undefined,
};

/** Brings every container to a state that is true, then removes what belongs to none. */
export async function recoverEngine(context: EngineContext): Promise<void> {
  const plan: { record: ContainerRecord; operation: RecoveryOperation }[] = [];
  for (const record of context.store.everything()) {
    plan.push({ record, operation: planRecovery(record, await observe(context, record), context.clock.nowMs()) });
  }
  const runs = plan.filter(({ operation }) => operation.kind === "adopt" || operation.kind === "adopt-started");
  // Before anything is attached or detached: the network works on what it has made sure of.
  await context.networks.reconcile(runs.map(({ record }) => record.id));
  await removeOrphans(context);
  for (const { record, operation } of plan) await carryOut(context, record, operation);
}

async function carryOut(context: EngineContext, record: ContainerRecord, operation: RecoveryOperation): Promise<void> {
  if (operation.kind !== "leave" && operation.kind !== "adopt") {
    context.logger.info("recovering a container", { containerId: record.id, operation: operation.kind, status: record.status });
  }
  try {
    await context.locks.run(record.id, async () => await execute(context, record, operation));
  } catch (error) {
    context.logger.error("a container could not be recovered", { containerId: record.id, error: toFlotillaError(error).message });
  }
}

async function execute<K extends RecoveryOperation["kind"]>(
  context: EngineContext,
  record: ContainerRecord,
  operation: Extract<RecoveryOperation, { kind: K }>,
): Promise<void> {
  const executor = EXECUTORS[operation.kind] as Executors[K];
  await executor(context, record, operation);
}

async function observe(context: EngineContext, record: ContainerRecord): Promise<RecoveryObservation> {
  const { exits, runtime } = machineOf(context);
  return {
    exit: exits.read(record.id),
    isProcessAlive: isSameProcess(record.pid, record.pidStartTicks) && record.pidStartTicks !== 0,
    // Only a start that was cut off needs the runtime's word; asking costs a process each.
    runtime: record.intent === "start" ? await runtime.state(record.id) : undefined,
  };
}

/** Runtime state, bundles, cgroups, layers, exit files and directories of containers that no record names. */
async function removeOrphans(context: EngineContext): Promise<void> {
  removeTrees(treesDir(context.config));
  const { runtime, cgroups, exits } = machineOf(context);
  const { config, store, logger } = context;
  const isOrphan = (id: string): boolean => /^[0-9a-f]{64}$/.test(id) && !store.isKnown(id);
  const parent = cgroupParent(config);
  for (const id of runtime.list().filter(isOrphan)) {
    logger.info("removing an orphaned container", { containerId: id });
    await runtime.delete(id);
    rmSync(join(runtime.paths.root, id), { recursive: true, force: true });
  }
  for (const name of listCgroups(cgroups, parent)) removeOrphanCgroups(cgroups, `${parent}/${name}`, isOrphan);
  // Those of builds have ids of their own kind, and no build goes on now.
  for (const id of context.images.listRootfs().filter((each) => !store.isKnown(each))) await context.images.removeRootfs(id);
  for (const id of listDir(join(config.runDir, "containers")).filter(isOrphan)) {
    const { bundleDir } = containerPaths(config, id);
    unmountBelow(bundleDir);
    rmSync(bundleDir, { recursive: true, force: true });
  }
  for (const id of listDir(join(config.dataDir, "containers")).filter(isOrphan)) {
    rmSync(containerPaths(config, id).dataDir, { recursive: true, force: true });
  }
  for (const { id } of exits.list().filter((exit) => isOrphan(exit.id))) exits.remove(id);
}

/** A container's cgroup, or a parent of such, which goes with the last of them. */
function removeOrphanCgroups(cgroups: CgroupLayout, path: string, isOrphan: (id: string) => boolean): void {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (isOrphan(name)) removeCgroup(cgroups, path);
  if (/^[0-9a-f]{64}$/.test(name)) return;
  for (const child of listCgroups(cgroups, path)) removeOrphanCgroups(cgroups, `${path}/${child}`, isOrphan);
  removeEmptyCgroup(cgroups, path);
}

/** Trees that nobody reads any more: their readers ended with the agent. */
function removeTrees(dir: string): void {
  unmountBelow(dir);
  for (const name of listDir(dir)) {
    const path = join(dir, name);
    // Never recursively: what an unmount left in place would be deleted with it.
    if (lstatSync(path).isDirectory()) rmdirSync(path);
    else unlinkSync(path);
  }
}

function listDir(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
