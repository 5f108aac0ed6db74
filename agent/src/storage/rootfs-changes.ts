// `docker diff` out of an overlayfs upper directory: a file there is new or changed, a whiteout or what an opaque
// directory hides is deleted. Lower layers never change, so that their part is a plain look-up.
import { lstatSync, readdirSync, type Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { lgetxattr } from "../host/libc.ts";
import { toDisplay, toPath } from "../archive/tar/block.ts";
import { openDirectory, pathOf } from "./open-no-follow.ts";

export type RootfsChange = { path: string; kind: 0 | 1 | 2 };

const MODIFIED = 0;
const ADDED = 1;
const DELETED = 2;
/** Made by the runtime in every container to mount on; Docker makes them in a layer of its own that diff does not show. */
const ENGINE_MOUNT_POINTS: ReadonlySet<string> = new Set(["/dev", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/proc", "/sys"]);
const OPAQUE = "trusted.overlay.opaque";

/** @param lowers layer directories, top first. Sorted by path. */
export async function treeChanges(upper: string, lowers: readonly string[]): Promise<RootfsChange[]> {
  const changes: RootfsChange[] = [];
  await walk({ directory: upper, path: "", lowers, changes });
  return changes
    .map((change) => ({ ...change, path: toDisplay(change.path) }))
    .toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

type Walk = {
  directory: string;
  /** Inside the container, as a byte string, without trailing slash. */
  path: string;
  /** Directories of the layers below that merge into this one, top first. */
  lowers: readonly string[];
  changes: RootfsChange[];
};

/** @returns how many mount points of the engine's were passed over. */
async function walk(at: Walk): Promise<number> {
  const directory = await openDirectory(toPath(at.directory)).catch(() => undefined);
  // Gone, or no directory any more: a live container changes while we look.
  if (directory === undefined) return 0;
  try {
    const base = pathOf(directory);
    const names = await readdir(base, { encoding: "latin1" as BufferEncoding });
    const isOpaque = lgetxattr(`${base}/.`, OPAQUE) !== undefined;
    if (isOpaque) reportHidden(at, new Set(names));
    const lowers = isOpaque ? [] : at.lowers;
    let mountPoints = 0;
    for (const name of names) mountPoints += await visit({ ...at, directory: base, lowers }, name);
    return mountPoints;
  } finally {
    await directory.close();
  }
}

async function visit(at: Walk, name: string): Promise<number> {
  const child = `${at.directory}/${name}`;
  const stats = await lstat(toPath(child)).catch(() => undefined);
  if (stats === undefined) return 0;
  const path = `${at.path}/${name}`;
  const below = findBelow(at.lowers, name);
  if (isWhiteout(stats)) {
    if (below !== undefined) at.changes.push({ path, kind: DELETED });
    return 0;
  }
  if (below === undefined && ENGINE_MOUNT_POINTS.has(path) && (stats.isDirectory() || stats.size === 0)) return 1;
  const before = at.changes.push({ path, kind: below === undefined ? ADDED : MODIFIED });
  if (!stats.isDirectory()) return 0;
  const isMerged = below?.isDirectory() === true;
  const mountPoints = await walk({
    directory: child,
    path,
    lowers: isMerged ? directoriesBelow(at.lowers, name) : [],
    changes: at.changes,
  });
  // In the writable layer only because a mount point of the engine's is in it.
  const isUntouched = below === undefined || (below.mode === stats.mode && below.uid === stats.uid && below.gid === stats.gid);
  if (mountPoints > 0 && at.changes.length === before && isUntouched) at.changes.pop();
  return 0;
}

function reportHidden(at: Walk, present: ReadonlySet<string>): void {
  const hidden = new Set(at.lowers.flatMap((lower) => readdirSync(toPath(lower), { encoding: "latin1" as BufferEncoding })));
  for (const name of hidden) {
    if (!present.has(name) && findBelow(at.lowers, name) !== undefined) at.changes.push({ path: `${at.path}/${name}`, kind: DELETED });
  }
}

/** What the merged lower layers show under a name. */
function findBelow(lowers: readonly string[], name: string): Stats | undefined {
  for (const lower of lowers) {
    const stats = lstatSync(toPath(`${lower}/${name}`), { throwIfNoEntry: false });
    if (stats !== undefined) return isWhiteout(stats) ? undefined : stats;
  }
  return undefined;
}

/** The layers' directories of a name that merge: down to the first that is opaque, hidden or no directory. */
function directoriesBelow(lowers: readonly string[], name: string): string[] {
  const found: string[] = [];
  for (const lower of lowers) {
    const path = `${lower}/${name}`;
    const stats = lstatSync(toPath(path), { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (!stats.isDirectory()) break;
    found.push(path);
    if (lgetxattr(toPath(path), OPAQUE) !== undefined) break;
  }
  return found;
}

function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}
