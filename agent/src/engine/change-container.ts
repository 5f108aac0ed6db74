// The verbs that change a container without starting or ending it.
import { availableParallelism } from "node:os";
import { FlotillaError } from "@flotilla/core";
import type { ContainerUpdateBody, HostConfig } from "@flotilla/engine-api";
import { planLimits } from "../runtime/spec-resources.ts";
import { noSuchContainer } from "./container-store.ts";
import { containerPaths, type EngineContext, machineOf, publish } from "./context.ts";
import { assertAllowed, assertEnterable, isBeyondGuard } from "./guard-container.ts";
import { parseContainerName } from "./names.ts";
import { type ContainerRecord, isAlive } from "./record.ts";
import { validateResources, validateRestartPolicy } from "./validate-create.ts";

/** Freezes every process. @throws conflict when it does not run or is frozen already. */
export async function pauseContainer(context: EngineContext, id: string): Promise<void> {
  await withRecord(context, id, async (record) => {
    if (record.status === "paused") throw new FlotillaError("conflict", `Container ${id} is already paused`);
    if (record.status === "restarting")
      throw new FlotillaError("conflict", `Container ${id} is restarting, wait until the container is running`);
    if (record.status !== "running") throw new FlotillaError("conflict", `Container ${id} is not running`);
    await machineOf(context).runtime.pause(id);
    publish(context, context.store.update(id, { status: "paused" }), { action: "pause" });
  });
}

/** @throws conflict when it is not paused. */
export async function unpauseContainer(context: EngineContext, id: string): Promise<void> {
  await withRecord(context, id, async (record) => {
    if (record.status !== "paused") throw new FlotillaError("conflict", `Container ${id} is not paused`);
    await machineOf(context).runtime.resume(id);
    publish(context, context.store.update(id, { status: "running" }), { action: "unpause" });
  });
}

/** @throws invalid for a bad name, conflict for one in use. */
export async function renameContainer(context: EngineContext, id: string, newName: string): Promise<void> {
  if (newName === "") throw new FlotillaError("invalid", "Neither old nor new names may be empty");
  const name = parseContainerName(newName);
  await withRecord(context, id, async (record) => {
    if (record.name === name) {
      throw new FlotillaError("invalid", "Renaming a container with the same name as its current name");
    }
    const renamed = context.store.update(id, { name });
    context.networks.renameContainer?.(id, name);
    publish(context, renamed, { action: "rename", attributes: { oldName: `/${record.name}` } });
  });
}

/** Its volumes first: what is cut off in between has lost nothing, and is done again. */
export async function adoptContainer(context: EngineContext, id: string, labels: Readonly<Record<string, string>>): Promise<void> {
  await withRecord(context, id, async ({ namespace, status, config, hostConfig }) => {
    if (status === "removing" || status === "dead") throw new FlotillaError("conflict", `Container ${id} is marked for removal`);
    context.volumes.keep(namespace, id);
    const adopted = context.store.update(id, {
      config: { ...config, Labels: { ...config.Labels, ...labels } },
      hostConfig: { ...hostConfig, RestartPolicy: { Name: "no", MaximumRetryCount: 0 }, AutoRemove: false },
    });
    publish(context, adopted, { action: "update" });
  });
}

/**
 * Changes limits and restart policy; those that are zero, empty or missing stay. On a running container the kernel is
 * changed first: what it refuses is not recorded.
 */
export async function updateContainer(
  context: EngineContext,
  id: string,
  { body, isExempt }: { body: ContainerUpdateBody; isExempt: boolean },
): Promise<{ Warnings: string[] }> {
  await withRecord(context, id, async (record) => {
    if (record.status === "removing" || record.status === "dead") {
      throw new FlotillaError("conflict", `Container is marked for removal and cannot be "update".`);
    }
    const hostConfig = mergeUpdate(record.hostConfig, body);
    if (body.RestartPolicy !== undefined && body.RestartPolicy.Name !== "") validateRestartPolicy(hostConfig);
    validateResources(hostConfig, { cpus: availableParallelism() });
    const changed = { ...record, hostConfig };
    if (!isExempt && record.isExempt) assertEnterable(context, changed, { isPrivileged: false });
    else if (!isExempt) assertAllowed(context, changed);
    // What an administrator gave stays given, as if they had made the container with it.
    const isNowExempt = record.isExempt || (isExempt && isBeyondGuard(context, changed));
    const limits = planLimits(hostConfig);
    if (isAlive(record) && Object.keys(limits).length > 0) {
      await machineOf(context).runtime.update(id, limits, containerPaths(context.config, id).bundleDir);
    }
    publish(context, context.store.update(id, { hostConfig, isExempt: isNowExempt }), { action: "update" });
  });
  return { Warnings: [] };
}

/** The configuration with the changes of an update; a CPU limit of the other kind makes way. */
export function mergeUpdate(current: HostConfig, { RestartPolicy, ...resources }: ContainerUpdateBody): HostConfig {
  const changes = Object.fromEntries(
    Object.entries(resources).filter(
      ([, value]) => value !== null && value !== 0 && value !== "" && !(Array.isArray(value) && value.length === 0),
    ),
  );
  const raisedSwap = resources.Memory > 0 && resources.MemorySwap === 0 && current.MemorySwap > 0 && current.MemorySwap < resources.Memory;
  if (raisedSwap) {
    throw new FlotillaError(
      "conflict",
      "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
    );
  }
  const policy = RestartPolicy !== undefined && RestartPolicy.Name !== "" ? { RestartPolicy } : {};
  const cpu =
    resources.NanoCpus > 0 ? { CpuPeriod: 0, CpuQuota: 0 } : resources.CpuPeriod > 0 || resources.CpuQuota > 0 ? { NanoCpus: 0 } : {};
  return { ...current, ...cpu, ...changes, ...policy };
}

async function withRecord(context: EngineContext, id: string, work: (record: ContainerRecord) => Promise<void>): Promise<void> {
  await context.locks.run(id, async () => {
    const record = context.store.byId(id);
    if (record === undefined) throw noSuchContainer(id);
    await work(record);
  });
}
