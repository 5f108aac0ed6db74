import { readdirSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";

export type DeviceNode = { type: "c" | "b"; major: number; minor: number; fileMode: number; uid: number; gid: number };

const S_IFMT = 0o170_000;
const S_IFCHR = 0o020_000;
const S_IFBLK = 0o060_000;

/** The device node at a path of the host (links followed), undefined when there is none or it is something else. */
export function findDevice(path: string): DeviceNode | undefined {
  try {
    const stat = statSync(path);
    const format = stat.mode & S_IFMT;
    if (format !== S_IFCHR && format !== S_IFBLK) return undefined;
    const number = BigInt(stat.rdev);
    // gnu_dev_major and gnu_dev_minor of sys/sysmacros.h.
    const major = Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn));
    const minor = Number((number & 0xffn) | ((number >> 12n) & ~0xffn));
    return { type: format === S_IFCHR ? "c" : "b", major, minor, fileMode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
  } catch {
    return undefined;
  }
}

/** Directories of /dev that are file systems of their own or belong to one login. */
const SKIPPED = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console", "hugepages"]);

/** Every device of the host, by path: what `--privileged` gives, and what `--device /dev/snd` gives of a directory. */
export function listDevices(dir = "/dev"): { path: string; node: DeviceNode }[] {
  let entries;
  try {
    entries = readdirSync(dir, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return listDevices(path);
    const node = entry.isSymbolicLink() ? undefined : findDevice(path);
    return node === undefined ? [] : [{ path, node }];
  });
}

/** Where a link such as /dev/disk/by-id/… leads. */
export function realDevicePath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
