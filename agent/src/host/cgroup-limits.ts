// Memory and CPU of a cgroup that holds other cgroups, in v1 and v2. What containers have of their own is the runtime's.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { type CgroupLayout, controllerDir } from "./cgroup.ts";

/** Undefined is no limit. */
export type CgroupLimits = { memoryBytes?: number | undefined; cpus?: number | undefined };

const PERIOD_US = 100_000;

/** Whether the cgroup is there, in the hierarchies that limits are about. */
export function hasCgroup(layout: CgroupLayout, path: string): boolean {
  return ["memory", "cpu"].some((controller) => {
    const dir = controllerDir(layout, controller, path);
    return dir !== undefined && existsSync(dir);
  });
}

/**
 * Makes the cgroup, unless it is there, and limits it; swap is as much as memory, as in Docker. Idempotent.
 * @throws unavailable with the kernel's reason: a v1 kernel refuses less CPU than a container below has (EINVAL), every
 * kernel less memory than is in use and cannot be taken back (EBUSY).
 */
export function limitCgroup(layout: CgroupLayout, path: string, limits: CgroupLimits): void {
  try {
    if (layout.mode === "v2") limitUnified(layout, path, limits);
    else limitV1(layout, path, limits);
  } catch (error) {
    throw new FlotillaError("unavailable", `limit the cgroup ${path}: ${toFlotillaError(error).message}`, { cause: error });
  }
}

function limitV1(layout: CgroupLayout, path: string, { memoryBytes, cpus }: CgroupLimits): void {
  const memory = controllerDir(layout, "memory", path);
  if (memory !== undefined) {
    mkdirSync(memory, { recursive: true });
    const files: [string, number][] = [["memory.limit_in_bytes", memoryBytes ?? -1]];
    if (existsSync(join(memory, "memory.memsw.limit_in_bytes"))) {
      files.push(["memory.memsw.limit_in_bytes", memoryBytes === undefined ? -1 : memoryBytes * 2]);
    }
    writeInEitherOrder(memory, files);
  }
  const cpu = controllerDir(layout, "cpu", path);
  if (cpu === undefined) return;
  mkdirSync(cpu, { recursive: true });
  if (cpus !== undefined) writeFileSync(join(cpu, "cpu.cfs_period_us"), String(PERIOD_US));
  writeFileSync(join(cpu, "cpu.cfs_quota_us"), String(cpus === undefined ? -1 : Math.round(cpus * PERIOD_US)));
}

/** Memory may never be above memory with swap: which of the two goes first depends on where they were. */
function writeInEitherOrder(dir: string, files: readonly [string, number][]): void {
  const write = (order: readonly [string, number][]): void => {
    for (const [name, value] of order) writeFileSync(join(dir, name), String(value));
  };
  try {
    write(files);
  } catch {
    write(files.toReversed());
  }
}

function limitUnified(layout: CgroupLayout, path: string, { memoryBytes, cpus }: CgroupLimits): void {
  const dir = join(layout.unifiedMount ?? "", path);
  mkdirSync(dir, { recursive: true });
  for (const above of ancestors(path)) {
    writeFileSync(join(layout.unifiedMount ?? "", above, "cgroup.subtree_control"), "+memory +cpu");
  }
  writeFileSync(join(dir, "memory.max"), memoryBytes === undefined ? "max" : String(memoryBytes));
  // Missing on a kernel without swap accounting.
  if (existsSync(join(dir, "memory.swap.max"))) {
    writeFileSync(join(dir, "memory.swap.max"), memoryBytes === undefined ? "max" : String(memoryBytes));
  }
  writeFileSync(join(dir, "cpu.max"), `${cpus === undefined ? "max" : Math.round(cpus * PERIOD_US)} ${PERIOD_US}`);
}

/** "/" and every cgroup above a path, outermost first. */
function ancestors(path: string): string[] {
  const above = dirname(path);
  return above === "/" ? ["/"] : [...ancestors(above), above];
}
