import { lstatSync, readlinkSync, realpathSync, statSync, type Stats } from "node:fs";
import { dirname, posix } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { toDisplay, toPath } from "../tar/block.ts";
import type { PathStat } from "./jobs.ts";

/** Type bits of Go's os.FileMode, by which Docker's stat header speaks. */
const GO_MODE = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  characterDevice: 2 ** 21,
  sticky: 2 ** 20,
} as const;

/** A path inside the process's root as a client named it: absolute, cleaned, with what Go calls its base. */
export type ClientPath = {
  /** Byte string without trailing slash, "/" for the root. */
  path: string;
  base: string;
  /** The client ended it with `/` or `/.`: the last symlink is followed too. */
  isFollowed: boolean;
};

/** @param text as the client sent it (a UTF-8 byte string); relative paths start at the root. */
export function parseClientPath(text: string): ClientPath {
  if (text === "" || text.includes("\0")) throw new FlotillaError("invalid", "bad parameter: path cannot be empty");
  const path = posix.resolve("/", text);
  return { path, base: baseOfClientPath(path, text), isFollowed: /(?:^|\/)\.?$/.test(text) };
}

/** Go's filepath.Base, by which the docker command renames entries: `.` for `/etc/.`, `etc` for `/etc/`. */
function baseOfClientPath(path: string, text: string): string {
  if (path === "/") return "/";
  return text.endsWith("/.") ? "." : posix.basename(path);
}

/** lstat, or stat for a path that ends with a slash. @throws FlotillaError `not_found`. */
export function lookUp(client: ClientPath): Stats {
  const path = toPath(client.path);
  const options = { throwIfNoEntry: false } as const;
  const stats = findStats(() => (client.isFollowed ? statSync(path, options) : lstatSync(path, options)));
  if (stats === undefined) throw new FlotillaError("not_found", `Could not find the file ${toDisplay(client.path)}`);
  return stats;
}

/** What Docker sends in X-Docker-Container-Path-Stat. */
export function statPath(client: ClientPath): PathStat {
  const stats = lookUp(client);
  return {
    name: toDisplay(client.base),
    size: stats.size,
    mode: goMode(stats),
    mtime: stats.mtime.toISOString(),
    linkTarget: stats.isSymbolicLink() ? toDisplay(resolveLink(client.path)) : "",
  };
}

/** Go's os.FileMode of a file. */
export function goMode(stats: Pick<Stats, "mode">): number {
  const { mode } = stats;
  let bits = mode & 0o777;
  if ((mode & 0o4000) !== 0) bits += GO_MODE.setuid;
  if ((mode & 0o2000) !== 0) bits += GO_MODE.setgid;
  if ((mode & 0o1000) !== 0) bits += GO_MODE.sticky;
  switch (mode & 0o170_000) {
    case 0o040_000:
      return bits + GO_MODE.directory;
    case 0o120_000:
      return bits + GO_MODE.symlink;
    case 0o020_000:
      return bits + GO_MODE.device + GO_MODE.characterDevice;
    case 0o060_000:
      return bits + GO_MODE.device;
    case 0o010_000:
      return bits + GO_MODE.fifo;
    case 0o140_000:
      return bits + GO_MODE.socket;
    default:
      return bits;
  }
}

/** The link's target with all links resolved; for a dangling link its text, made absolute. */
function resolveLink(path: string): string {
  try {
    return realpathSync(toPath(path), { encoding: "latin1" });
  } catch {
    const parent = realpathSync(toPath(dirname(path)), { encoding: "latin1" });
    return posix.resolve(parent, readlinkSync(toPath(path), { encoding: "latin1" }));
  }
}

function findStats(look: () => Stats | undefined): Stats | undefined {
  try {
    return look();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOTDIR" || code === "ENAMETOOLONG" || code === "ELOOP") return undefined;
    if (code === "EACCES")
      throw new FlotillaError("forbidden", error instanceof Error ? error.message : "permission denied", { cause: error });
    throw error;
  }
}
