import { rmSync } from "node:fs";
import { join } from "node:path";
import { toFlotillaError } from "@flotilla/core";
import { removeCgroup, removeEmptyCgroup } from "../host/cgroup.ts";
import { unmount } from "../host/libc.ts";
import { containerPaths, type EngineContext, machineOf } from "./context.ts";
import type { ContainerRecord } from "./record.ts";

/**
 * Undoes everything that a start makes: runtime state, cgroup, network, mounts, bundle, exit file. Idempotent; each part
 * is undone even when another refuses, and what refused is logged: the next start of the agent tries again.
 */
export async function releaseParts(context: EngineContext, record: ContainerRecord): Promise<void> {
  const paths = containerPaths(context.config, record.id);
  await deleteFromRuntime(context, record);
  const results = await Promise.allSettled([context.networks.detach(record.id), context.images.unmountRootfs(record.id)]);
  if (record.hostConfig.IpcMode === "shareable") unmount(paths.shmPath);
  machineOf(context).exits.remove(record.id);
  rmSync(paths.bundleDir, { recursive: true, force: true });
  for (const result of results) {
    if (result.status === "rejected") {
      context.logger.error("a part of a container could not be released", {
        containerId: record.id,
        error: toFlotillaError(result.reason).message,
      });
    }
  }
}

/**
 * What `delete` of the runtime does for a container whose first process is gone: its cgroup and its state directory. Done
 * here, since a process of its own costs more than both; the runtime is asked when something is left alive.
 */
async function deleteFromRuntime(context: EngineContext, record: ContainerRecord): Promise<void> {
  const { cgroups, runtime } = machineOf(context);
  if (!removeCgroup(cgroups, record.cgroupPath)) {
    await runtime.delete(record.id);
    if (!removeCgroup(cgroups, record.cgroupPath)) {
      context.logger.warn("a cgroup is still held by the kernel", { containerId: record.id, cgroup: record.cgroupPath });
    }
  }
  rmSync(join(runtime.paths.root, record.id), { recursive: true, force: true });
  removeEmptyParents(context, record);
}

/**
 * What `--cgroup-parent` and the namespace put between; the instance's own stays for the next container. A runtime that is
 * making a container below needs them, one hierarchy after the other: then they stay for its end.
 */
function removeEmptyParents(context: EngineContext, record: ContainerRecord): void {
  const above = record.cgroupPath.split("/").slice(0, -1);
  if (above.length <= 2) return;
  const starting = context.store.everything().filter((other) => other.intent === "start" && other.id !== record.id);
  for (let depth = above.length; depth > 2; depth -= 1) {
    const path = above.slice(0, depth).join("/");
    if (starting.some((other) => other.cgroupPath.startsWith(`${path}/`))) return;
    removeEmptyCgroup(machineOf(context).cgroups, path);
  }
}
