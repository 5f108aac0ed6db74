import { rmSync } from "node:fs";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { noSuchContainer } from "./container-store.ts";
import { containerPaths, type EngineContext, publish } from "./context.ts";
import { type ContainerRecord, isAlive } from "./record.ts";
import { releaseParts } from "./release-parts.ts";

/** Removes a container that does not run. The caller holds its lock. Its waiters for `removed` get the exit code. */
export async function destroyContainer(
  context: EngineContext,
  record: ContainerRecord,
  options: { removesVolumes: boolean },
): Promise<void> {
  const removing = context.store.update(record.id, { status: "removing", intent: options.removesVolumes ? "remove-volumes" : "remove" });
  context.timers.cancel(record.id);
  try {
    await destroyParts(context, removing, options);
  } catch (error) {
    context.store.update(record.id, { status: "dead", error: toFlotillaError(error).message });
    throw error;
  }
  context.store.delete(record.id);
  context.hooks.delete(record.id);
  publish(context, removing, { action: "destroy" });
  // Error would be that of the removal: why a start failed is in the answer of the start alone.
  context.waiters.settle(record.id, ["not-running", "next-exit", "removed"], { StatusCode: record.exitCode, Error: null });
}

/** Deletes what a container owns on disk; volumes only when they are anonymous, unused by others, and asked for. */
export async function destroyParts(context: EngineContext, record: ContainerRecord, options: { removesVolumes: boolean }): Promise<void> {
  await context.images.removeRootfs(record.id);
  context.volumes.release(record.namespace, record.id, { removesAnonymous: options.removesVolumes });
  rmSync(containerPaths(context.config, record.id).dataDir, { recursive: true, force: true });
}

/** The last step of `docker rm`, under the container's lock. @throws conflict when it runs (again). */
export async function removeStopped(context: EngineContext, id: string, options: { removesVolumes: boolean }): Promise<void> {
  await context.locks.run(id, async () => {
    const record = context.store.byId(id);
    if (record === undefined) throw noSuchContainer(id);
    if (isAlive(record)) throw cannotRemove(record);
    if (record.intent === "start") await releaseParts(context, record);
    await destroyContainer(context, record, options);
  });
}

/** @returns Docker's refusal to remove a container that runs. */
export function cannotRemove(record: ContainerRecord): FlotillaError {
  const hint =
    record.status === "paused"
      ? "container is paused and must be unpaused first"
      : `container is ${record.status}: stop the container before removing or force remove`;
  return new FlotillaError("conflict", `cannot remove container "/${record.name}": ${hint}`);
}
