// What a tar says of a file of a tree, and how the file is opened.
import { constants, openSync, readlinkSync, type Stats } from "node:fs";
import { llistxattr, lgetxattr } from "../../host/libc.ts";
import { toPath } from "../tar/block.ts";
import type { EntryType } from "../tar/entry.ts";
import type { NewEntry } from "../tar/writer.ts";

/** Not blocking: a fifo that took the file's place since must not hold the worker; it is seen by fstat. Undefined when gone. */
export function openUnlessGone(path: string): number | undefined {
  try {
    return openSync(toPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    // Removed since it was listed, or replaced by a link.
    if (code === "ENOENT" || code === "ELOOP") return undefined;
    throw error;
  }
}

export function entryOf(from: { path: string; name: string; stats: Stats; type: EntryType }): NewEntry {
  const { path, name, stats, type } = from;
  const isDevice = type === "character-device" || type === "block-device";
  return {
    type,
    name: type === "directory" && !name.endsWith("/") ? `${name}/` : name,
    linkName: type === "symlink" ? readlinkSync(toPath(path), { encoding: "latin1" }) : "",
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    size: type === "file" ? stats.size : 0,
    mtimeSeconds: stats.mtimeMs / 1000,
    deviceMajor: isDevice ? majorOf(stats.rdev) : 0,
    deviceMinor: isDevice ? minorOf(stats.rdev) : 0,
    xattrs: type === "link" ? new Map() : xattrsOf(path),
  };
}

/** Capabilities and user attributes: what a tar of Docker or GNU tar carries. Labels of security modules are the host's. */
function xattrsOf(path: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of llistxattr(toPath(path))) {
    if (name !== "security.capability" && !name.startsWith("user.")) continue;
    const value = lgetxattr(toPath(path), name);
    if (value !== undefined) found.set(name, Buffer.from(value).toString("latin1"));
  }
  return found;
}

/** Undefined for a socket, which has no place in a tar. */
export function typeOf(stats: Stats): EntryType | undefined {
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "character-device";
  if (stats.isBlockDevice()) return "block-device";
  return stats.isFIFO() ? "fifo" : undefined;
}

/** gnu_dev_major and gnu_dev_minor (sys/sysmacros.h), in arithmetic because the number has up to 64 bits. */
function majorOf(device: number): number {
  const value = BigInt(device);
  return Number(((value >> 8n) & 0xfffn) | ((value >> 32n) & ~0xfffn));
}

function minorOf(device: number): number {
  const value = BigInt(device);
  return Number((value & 0xffn) | ((value >> 12n) & 0xffffff00n));
}
