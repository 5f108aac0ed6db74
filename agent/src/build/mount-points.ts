import { lstatSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { resolveInRoot } from "../host/rooted-path.ts";

/** Host paths, deepest first, that a runtime makes to mount on and that were not there before. */
export type MountPoints = readonly string[];

/** What is missing of the mount targets in a tree that nobody uses. */
export function findMountPoints(root: string, targets: readonly string[]): MountPoints {
  const missing = new Set<string>();
  for (const target of targets) {
    for (let path = resolveInRoot(root, target); path.startsWith(`${root}/`); path = dirname(path)) {
      if (lstatSync(path, { throwIfNoEntry: false }) === undefined) missing.add(path);
    }
  }
  return [...missing].sort((a, b) => b.length - a.length);
}

/** Takes them away again, as far as nothing was put there: a mount of one step is no part of the layer. */
export function removeMountPoints(points: MountPoints): void {
  for (const path of points) {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    try {
      if (stats?.isDirectory() === true) rmdirSync(path);
      else if (stats?.isFile() === true && stats.size === 0) unlinkSync(path);
    } catch {
      // Not empty: the step wrote beside the mount.
    }
  }
}
