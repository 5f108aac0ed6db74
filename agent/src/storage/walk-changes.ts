// What one overlayfs directory changes of those below it: a file there is new or changed, a whiteout or what an opaque
// directory hides is removed. Nothing is followed: each directory is opened without links and its children are named
// through it, because the topmost one may be a live container's. Memory does not grow with the number of files.
import { closeSync, constants, lstatSync, opendirSync, openSync, type Stats } from "node:fs";
import { lgetxattr } from "../host/libc.ts";
import { toPath } from "../archive/tar/block.ts";
import type { Pace } from "./pace.ts";

/** One name of a tree that a directory adds, changes or removes. */
export type TreeChange = {
  /** Inside the tree, as a byte string, beginning with a slash. */
  path: string;
  name: string;
  kind: "added" | "changed" | "removed";
  /** What is there now; undefined for what was removed. */
  stats: Stats | undefined;
  /** What the merged directories below show under the name; undefined for what was added. */
  below: Stats | undefined;
  /** The directories below that merge into the one that the name is in, top first. */
  lowers: readonly string[];
};

export type ChangeVisitor = {
  /** Before what is in it. @returns whether a directory is walked into. */
  enter(change: TreeChange): Promise<boolean> | boolean;
  /** After what is in it; for directories that were walked into only. */
  leave?(change: TreeChange): void;
};

type Place = {
  directory: string;
  path: string;
  lowers: readonly string[];
  /** In or below an opaque directory: nothing of the lower ones shows through. */
  isHiding: boolean;
};

const OPAQUE = "trusted.overlay.opaque";
/** Names that one call reads of a directory: a directory of a million must not stand still for all of them. */
const NAMES_AT_ONCE = 256;

/** @param tree `lowers` are the directories below, top first. */
export async function walkChanges(tree: { upper: string; lowers: readonly string[]; pace: Pace }, visitor: ChangeVisitor): Promise<void> {
  await walk({ directory: tree.upper, path: "", lowers: tree.lowers, isHiding: false }, tree.pace, visitor);
}

async function walk(at: Place, pace: Pace, visitor: ChangeVisitor): Promise<void> {
  const fd = openDirectory(at.directory);
  // Gone, or no directory any more: a live container changes while we look.
  if (fd === undefined) return;
  try {
    const directory = `/proc/self/fd/${fd}`;
    const here: Place = { ...at, directory, isHiding: at.isHiding || isOpaque(`${directory}/.`) };
    if (here.isHiding) await reportHidden(here, pace, visitor);
    for (const name of namesOf(directory)) {
      const wait = pace.rest();
      if (wait !== undefined) await wait;
      await visit(here, name, { pace, visitor });
    }
  } finally {
    closeSync(fd);
  }
}

async function visit(at: Place, name: string, { pace, visitor }: { pace: Pace; visitor: ChangeVisitor }): Promise<void> {
  const stats = statOf(`${at.directory}/${name}`);
  if (stats === undefined) return;
  const below = findBelow(at.lowers, name);
  const path = `${at.path}/${name}`;
  if (isWhiteout(stats)) {
    if (below !== undefined) await visitor.enter({ path, name, kind: "removed", stats: undefined, below, lowers: at.lowers });
    return;
  }
  const change: TreeChange = { path, name, kind: below === undefined ? "added" : "changed", stats, below, lowers: at.lowers };
  if (!(await visitor.enter(change)) || !stats.isDirectory()) return;
  const lowers = below?.isDirectory() === true ? directoriesBelow(at.lowers, name) : [];
  await walk({ directory: `${at.directory}/${name}`, path, lowers, isHiding: at.isHiding }, pace, visitor);
  visitor.leave?.(change);
}

/** What the lower directories have and an opaque one has not. */
async function reportHidden(at: Place, pace: Pace, visitor: ChangeVisitor): Promise<void> {
  for await (const { name, stats } of mergedEntries(at.lowers, pace)) {
    if (statOf(`${at.directory}/${name}`) !== undefined) continue;
    await visitor.enter({ path: `${at.path}/${name}`, name, kind: "removed", stats: undefined, below: stats, lowers: at.lowers });
  }
}

/** Each name that directories show when they are merged, once. @param directories top first. */
export async function* mergedEntries(directories: readonly string[], pace: Pace): AsyncGenerator<{ name: string; stats: Stats }> {
  for (const [index, directory] of directories.entries()) {
    const above = directories.slice(0, index);
    for (const name of namesOf(directory)) {
      const wait = pace.rest();
      if (wait !== undefined) await wait;
      if (above.some((higher) => statOf(`${higher}/${name}`) !== undefined)) continue;
      const stats = statOf(`${directory}/${name}`);
      if (stats !== undefined && !isWhiteout(stats)) yield { name, stats };
    }
  }
}

/** The directories of a name that merge: down to the first that is opaque, hidden or no directory. */
export function directoriesBelow(lowers: readonly string[], name: string): string[] {
  const found: string[] = [];
  for (const lower of lowers) {
    const path = `${lower}/${name}`;
    const stats = statOf(path);
    if (stats === undefined) continue;
    if (!stats.isDirectory()) break;
    found.push(path);
    if (isOpaque(path)) break;
  }
  return found;
}

/** What the merged lower directories show under a name. */
function findBelow(lowers: readonly string[], name: string): Stats | undefined {
  for (const lower of lowers) {
    const stats = statOf(`${lower}/${name}`);
    if (stats !== undefined) return isWhiteout(stats) ? undefined : stats;
  }
  return undefined;
}

function* namesOf(path: string): Generator<string> {
  const directory = opendirSync(toPath(path), { encoding: "latin1", bufferSize: NAMES_AT_ONCE });
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) yield entry.name;
  } finally {
    directory.closeSync();
  }
}

function openDirectory(path: string): number | undefined {
  try {
    return openSync(toPath(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
}

/** Undefined for what is not there, or so deep that no path leads to it. */
function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(toPath(path), { throwIfNoEntry: false });
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENAMETOOLONG" || error.code === "ENOTDIR")) return undefined;
    throw error;
  }
}

function isOpaque(path: string): boolean {
  return lgetxattr(toPath(path), OPAQUE) !== undefined;
}

function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}
