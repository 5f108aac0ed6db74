import { statfsSync, statSync } from "node:fs";
import { toPath } from "../tar/block.ts";

/** Types of statfs(2) (linux/magic.h) that hold the kernel's state and no files. */
const PSEUDO_TYPES: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x6265_6572, // sysfs
  0x27_e0eb, // cgroup
  0x6367_7270, // cgroup2
  0x1cd1, // devpts
  0x1980_0202, // mqueue
  0x6462_6720, // debugfs
  0x7472_6163, // tracefs
  0xcafe_4a11, // bpf
  0x7363_6673, // securityfs
]);

/**
 * Whether a directory of a container's tree is a mount of the runtime's that is no part of its files: /proc, /sys and the
 * /dev that the runtime fills. Docker, whose view of the tree has no such mounts, shows an empty directory too.
 */
export function isPseudoFileSystem(path: string, device: number): boolean {
  if (device === statSync("/").dev) return false;
  return path === "/dev" || PSEUDO_TYPES.has(statfsSync(toPath(path)).type);
}
