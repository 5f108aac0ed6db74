// Cgroups as the kernel has them mounted: v1 (one hierarchy per controller), hybrid (v1 plus a v2 tree under
// /sys/fs/cgroup/unified) and pure v2. What exists in the kernel for a container afterwards: one directory
// `<parent>/<container id>` in every hierarchy, made by the runtime. What this file does not do: set limits (the
// runtime does) or touch a cgroup outside the parent that belongs to this instance.
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { kill, mount } from "./libc.ts";

export type CgroupLayout = {
  mode: "v1" | "hybrid" | "v2";
  /** Mount point of the v2 tree; undefined on v1. */
  unifiedMount: string | undefined;
  /** v1 controller (and named hierarchy, as `name=systemd`) → mount point. */
  controllers: ReadonlyMap<string, string>;
};

const CGROUP_ROOT = "/sys/fs/cgroup";
const KNOWN_V1_CONTROLLERS = new Set([
  "cpu",
  "cpuacct",
  "cpuset",
  "memory",
  "devices",
  "freezer",
  "blkio",
  "pids",
  "net_cls",
  "net_prio",
  "perf_event",
  "hugetlb",
  "rdma",
  "misc",
]);

/** Reads the layout from a mountinfo table (proc(5)). */
export function parseCgroupLayout(mountinfo: string): CgroupLayout {
  const controllers = new Map<string, string>();
  let unifiedMount: string | undefined;
  for (const line of mountinfo.split("\n")) {
    const [head = "", tail = ""] = line.split(" - ");
    const mountPoint = head.split(" ")[4] ?? "";
    const [type, , superOptions = ""] = tail.split(" ");
    if (!mountPoint.startsWith(CGROUP_ROOT)) continue;
    if (type === "cgroup2") unifiedMount ??= mountPoint;
    if (type !== "cgroup") continue;
    for (const option of superOptions.split(",")) {
      if ((option.startsWith("name=") || KNOWN_V1_CONTROLLERS.has(option)) && !controllers.has(option)) controllers.set(option, mountPoint);
    }
  }
  if (controllers.size === 0) return { mode: "v2", unifiedMount: unifiedMount ?? CGROUP_ROOT, controllers };
  return { mode: unifiedMount === undefined ? "v1" : "hybrid", unifiedMount, controllers };
}

/** The layout of this machine. */
export function detectCgroups(): CgroupLayout {
  return parseCgroupLayout(readFileSync("/proc/self/mountinfo", "utf8"));
}

/**
 * crun refuses a hybrid layout whose v2 tree still owns controllers. Mounts each of those (hugetlb, as a rule) as v1,
 * which takes it away from the v2 tree. Returns their names; the mounts stay when the agent ends, since every
 * instance on the machine needs them.
 * @throws FlotillaError `internal` (EBUSY) when something uses a controller in the v2 tree.
 */
export function takeUnifiedControllers(layout: CgroupLayout): string[] {
  if (layout.mode !== "hybrid" || layout.unifiedMount === undefined) return [];
  const names = readFileSync(join(layout.unifiedMount, "cgroup.controllers"), "utf8")
    .split(/\s+/)
    .filter((name) => name !== "");
  for (const name of names) {
    const target = join(CGROUP_ROOT, name);
    mkdirSync(target, { recursive: true });
    mount({ source: "cgroup", target, type: "cgroup", data: name });
  }
  return names;
}

/** Directories of a cgroup (path like `/flotilla-1a2b3c4d/<id>`) in every hierarchy, without duplicates. */
export function cgroupDirs(layout: CgroupLayout, path: string): string[] {
  const roots = new Set(layout.controllers.values());
  if (layout.unifiedMount !== undefined) roots.add(layout.unifiedMount);
  return [...roots].map((root) => join(root, path));
}

/** Directory that holds the files of one controller (`memory`, `pids`, …); undefined when the machine lacks it. */
export function controllerDir(layout: CgroupLayout, controller: string, path: string): string | undefined {
  const root = layout.mode === "v2" ? layout.unifiedMount : layout.controllers.get(controller);
  return root === undefined ? undefined : join(root, path);
}

/** How many processes of a cgroup the kernel's OOM killer has ended. 0 when the cgroup is gone. */
export function readOomKills(layout: CgroupLayout, path: string): number {
  const dir = controllerDir(layout, "memory", path);
  if (dir === undefined) return 0;
  const text = readIfThere(join(dir, layout.mode === "v2" ? "memory.events" : "memory.oom_control"));
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? "0");
}

/** Host pids in a cgroup and below it. */
export function cgroupPids(layout: CgroupLayout, path: string): number[] {
  const dir = controllerDir(layout, layout.controllers.has("pids") ? "pids" : "memory", path);
  return dir === undefined ? [] : pidsUnder(dir);
}

function pidsUnder(dir: string): number[] {
  const own = readIfThere(join(dir, "cgroup.procs"))
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
  return [...own, ...childDirs(dir).flatMap((child) => pidsUnder(join(dir, child)))];
}

/** Names of the cgroups directly below one, over all hierarchies. */
export function listCgroups(layout: CgroupLayout, path: string): string[] {
  return [...new Set(cgroupDirs(layout, path).flatMap(childDirs))];
}

/**
 * Kills what is left in a cgroup and removes its directories. Returns false when the kernel still holds it (EBUSY:
 * processes that are on their way out); the caller tries again later. Idempotent.
 */
export function removeCgroup(layout: CgroupLayout, path: string): boolean {
  let isGone = true;
  for (const dir of cgroupDirs(layout, path)) isGone = removeTree(dir) && isGone;
  return isGone;
}

/** Removes the directories of a cgroup that has neither processes nor cgroups below it; any other stays as it is. */
export function removeEmptyCgroup(layout: CgroupLayout, path: string): void {
  for (const dir of cgroupDirs(layout, path)) {
    try {
      rmdirSync(dir);
    } catch {
      // In use, or gone already.
    }
  }
}

function removeTree(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return true;
  }
  for (const child of childDirs(dir)) removeTree(join(dir, child));
  for (const pid of pidsUnder(dir)) kill(pid, 9);
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    return codeOf(error) === "ENOENT";
  }
}

function childDirs(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
