import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { toPath } from "../../archive/tar/block.ts";
import type { NodeType, SourceTree } from "./source-tree.ts";

/** The tree that is the process's root directory. */
export const directoryTree: SourceTree = {
  typeOf(path): NodeType | undefined {
    const stats = lstatSync(toPath(`/${path}`), { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    if (stats.isDirectory()) return "directory";
    if (stats.isSymbolicLink()) return "symlink";
    return stats.isFile() ? "file" : "other";
  },
  readLink: (path) => readlinkSync(toPath(`/${path}`), { encoding: "latin1" }),
  children: (path) => readdirSync(toPath(`/${path}`), { encoding: "latin1" }).toSorted(),
};
