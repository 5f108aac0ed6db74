// First use of an empty volume: the image's content at the mount point goes into it.
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lgetxattr, llistxattr, lsetxattr } from "../host/libc.ts";
import { run } from "../host/run.ts";

/** Images of tens of gigabytes are copied too; a stuck copy ends all the same. */
const COPY_TIMEOUT_MS = 30 * 60_000;

/** Whether anything is in a directory. */
export const isEmptyDirectory = (path: string): boolean => readdirSync(path).length === 0;

/**
 * Copies a tree with owners, modes, times, links (hard ones among themselves), devices and extended attributes; follows
 * no symlink inside it.
 */
export async function copyTree(source: string, target: string): Promise<void> {
  mkdirSync(target, { recursive: true, mode: 0o755 });
  await run({ argv: ["cp", "-a", "--", `${source}/.`, target], timeoutMs: COPY_TIMEOUT_MS });
}

/**
 * Moves a complete copy into `target` (same file system) and gives that the copy's own owner, mode and attributes. Can be
 * repeated after being cut off: what was moved is no longer in the copy.
 */
export function moveInto(copy: string, target: string): void {
  if (!existsSync(copy)) return;
  for (const name of readdirSync(copy)) renameSync(join(copy, name), join(target, name));
  copyAttributes(copy, target);
  rmSync(copy, { recursive: true, force: true });
}

/** Owner, mode and extended attributes of a directory. */
export function copyAttributes(source: string, target: string): void {
  const { uid, gid, mode } = lstatSync(source);
  chownSync(target, uid, gid);
  chmodSync(target, mode & 0o7777);
  for (const name of llistxattr(source)) {
    // Of overlayfs, not of the image.
    if (name.startsWith("trusted.overlay.")) continue;
    const value = lgetxattr(source, name);
    if (value !== undefined) lsetxattr(target, name, value);
  }
}
