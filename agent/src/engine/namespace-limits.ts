// Memory and CPU that a namespace's containers have together: limits of the cgroup that they are in.
import { toFlotillaError } from "@flotilla/core";
import { hasCgroup, limitCgroup } from "../host/cgroup-limits.ts";
import { type EngineContext, machineOf, namespaceCgroup } from "./context.ts";
import type { ContainerRecord } from "./record.ts";

/** Before a container starts: its namespace's cgroup goes with the last container, and its limits with it. @throws unavailable. */
export function holdLimits(context: EngineContext, record: ContainerRecord): void {
  if (record.isExempt) return;
  const { limits } = context.guards.of(record.namespace);
  if (limits.memoryBytes === undefined && limits.cpus === undefined) return;
  limitCgroup(machineOf(context).cgroups, namespaceCgroup(context.config, record.namespace), limits);
}

/** Makes the limits those of now, for cgroups that are there. What the kernel refuses is named, and to be tried again. */
export function applyLimits(context: EngineContext, namespaces: readonly string[]): { namespace: string; message: string }[] {
  const { cgroups } = machineOf(context);
  return namespaces.flatMap((namespace) => {
    const path = namespaceCgroup(context.config, namespace);
    if (!hasCgroup(cgroups, path)) return [];
    try {
      limitCgroup(cgroups, path, context.guards.of(namespace).limits);
      return [];
    } catch (error) {
      return [{ namespace, message: toFlotillaError(error).message }];
    }
  });
}
