// Paths inside a container's tree. Every symlink is resolved as the container would resolve it, with `root` as "/":
// a link in an image never leads to a file of the host. The tree must not change meanwhile (the container is not running
// yet, or the caller only reads what it may read anyway).
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync } from "node:fs";
import { join } from "node:path";
import { FlotillaError } from "@flotilla/core";

const MAX_LINKS = 40;

/** Host path of `path` inside `root`; the last parts need not exist. @throws invalid for a loop of links. */
export function resolveInRoot(root: string, path: string): string {
  const pending = path.split("/").reverse();
  const resolved: string[] = [];
  let links = 0;
  for (;;) {
    const part = pending.pop();
    if (part === undefined) return join(root, ...resolved);
    if (part === "" || part === ".") continue;
    if (part === "..") {
      resolved.pop();
      continue;
    }
    const target = linkTarget(join(root, ...resolved, part));
    if (target === undefined) {
      resolved.push(part);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new FlotillaError("invalid", `too many levels of symbolic links in ${path}`);
    if (target.startsWith("/")) resolved.length = 0;
    pending.push(...target.split("/").reverse());
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** Text of a regular file inside `root`, at most `maxBytes` of it; undefined when there is none. Never blocks on a fifo. */
export function readTextInRoot(root: string, path: string, maxBytes: number): string | undefined {
  let fd: number;
  try {
    fd = openSync(resolveInRoot(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const buffer = Buffer.alloc(Math.min(maxBytes, fstatSync(fd).size));
    const size = readSync(fd, buffer, 0, buffer.length, 0);
    return buffer.toString("utf8", 0, size);
  } finally {
    closeSync(fd);
  }
}
