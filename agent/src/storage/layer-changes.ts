// What a layer viewer shows of one layer: the files that it adds, changes and removes, and the bytes of the layers below
// that it hides. Those bytes are wasted: whoever pulls the image gets them and can never see them.
import type { Stats } from "node:fs";
import { toDisplay } from "../archive/tar/block.ts";
import type { Pace } from "./pace.ts";
import { directoriesBelow, mergedEntries, type TreeChange, walkChanges } from "./walk-changes.ts";

/** Entries that are kept of a layer, the largest ones. */
export const MAX_ENTRIES = 200;
/** Of a path its end is kept: the name is there. */
const MAX_PATH_CHARACTERS = 500;
/** Files with several names that are followed; of further ones each name counts. Bounds the memory at about 10 MB. */
const MAX_LINKED_FILES = 200_000;

export type FileCount = {
  /** Names of what is no directory. */
  files: number;
  /** Bytes of regular files; one with several names counts once. */
  bytes: number;
};

export type LayerEntry = {
  /** Directories that were removed end in a slash. Bytes that are no UTF-8 show as replacement characters. */
  path: string;
  kind: "added" | "changed" | "removed";
  /** Bytes that the layer brings; 0 for what was removed. */
  sizeBytes: number;
  /** Bytes of the layers below that it hides. */
  hiddenBytes: number;
};

export type LayerChanges = {
  added: FileCount;
  changed: FileCount;
  removed: FileCount;
  /** Sum of all hidden bytes. */
  wastedBytes: number;
  /** How many entries there are; `entries` has the largest. */
  entryCount: number;
  entries: LayerEntry[];
};

/**
 * Walks a layer. @param tree `lowers` are the layers below it, top first.
 * A file below that has several names is hidden when this layer hides all of them.
 */
export async function measureLayer(tree: { upper: string; lowers: readonly string[]; pace: Pace }): Promise<LayerChanges> {
  const tally = new Tally();
  const hiddenTree = new HiddenTree(tree.pace);
  await walkChanges(tree, {
    async enter(change) {
      const { stats, below, path } = change;
      const isFile = stats !== undefined && !stats.isDirectory();
      const isFileBelow = below !== undefined && !below.isDirectory();
      if (isFile && isFileBelow) {
        tally.add({ path, kind: "changed", files: 1, sizeBytes: tally.bytesOf(stats), hiddenBytes: hiddenTree.bytesOf(below) });
        return false;
      }
      if (isFile) tally.add({ path, kind: "added", files: 1, sizeBytes: tally.bytesOf(stats), hiddenBytes: 0 });
      if (isFileBelow) tally.add({ path, kind: "removed", files: 1, sizeBytes: 0, hiddenBytes: hiddenTree.bytesOf(below) });
      else if (below !== undefined && stats?.isDirectory() !== true) tally.add(await hiddenTree.removedDirectory(change));
      return true;
    },
  });
  return tally.result();
}

type Counted = LayerEntry & { files: number };

/** Sums, and the largest entries: twice as many as are wanted at most, cut down when that is full. */
class Tally {
  readonly #sums: Record<LayerEntry["kind"], FileCount> = {
    added: { files: 0, bytes: 0 },
    changed: { files: 0, bytes: 0 },
    removed: { files: 0, bytes: 0 },
  };
  readonly #linked = new Map<number, number>();
  #wastedBytes = 0;
  #entryCount = 0;
  #entries: LayerEntry[] = [];

  add({ files, ...entry }: Counted): void {
    const sum = this.#sums[entry.kind];
    sum.files += files;
    sum.bytes += entry.kind === "removed" ? entry.hiddenBytes : entry.sizeBytes;
    this.#wastedBytes += entry.hiddenBytes;
    this.#entryCount += 1;
    this.#entries.push(entry);
    if (this.#entries.length >= 2 * MAX_ENTRIES) this.#entries = largest(this.#entries);
  }

  /** Bytes of a file of the layer, with the first of its names. */
  bytesOf(stats: Stats): number {
    return countName(this.#linked, stats) > 1 ? 0 : sizeOf(stats);
  }

  result(): LayerChanges {
    const entries = largest(this.#entries).map((entry) => ({ ...entry, path: shownPath(entry.path) }));
    return { ...this.#sums, wastedBytes: this.#wastedBytes, entryCount: this.#entryCount, entries };
  }
}

/** What is hidden of the layers below. */
class HiddenTree {
  readonly #pace: Pace;
  readonly #linked = new Map<number, number>();

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  /** Bytes of a file, with the last of its names: while one is left they are not wasted. */
  bytesOf(stats: Stats): number {
    const names = countName(this.#linked, stats);
    return names === 0 || names === stats.nlink ? sizeOf(stats) : 0;
  }

  async removedDirectory({ path, lowers, name }: TreeChange): Promise<Counted> {
    const { files, bytes } = await this.#sum(directoriesBelow(lowers, name));
    return { path: `${path}/`, kind: "removed", files, sizeBytes: 0, hiddenBytes: bytes };
  }

  async #sum(directories: readonly string[]): Promise<FileCount> {
    const sum: FileCount = { files: 0, bytes: 0 };
    for await (const { name, stats } of mergedEntries(directories, this.#pace)) {
      const part = stats.isDirectory() ? await this.#sum(directoriesBelow(directories, name)) : { files: 1, bytes: this.bytesOf(stats) };
      sum.files += part.files;
      sum.bytes += part.bytes;
    }
    return sum;
  }
}

/** How many names of a file were met with this one; 0 for a file that is not followed. */
function countName(linked: Map<number, number>, stats: Stats): number {
  if (stats.nlink < 2 || !stats.isFile()) return 0;
  const before = linked.get(stats.ino);
  if (before === undefined && linked.size >= MAX_LINKED_FILES) return 0;
  linked.set(stats.ino, (before ?? 0) + 1);
  return (before ?? 0) + 1;
}

function sizeOf(stats: Stats): number {
  return stats.isFile() ? stats.size : 0;
}

function largest(entries: readonly LayerEntry[]): LayerEntry[] {
  const weight = (entry: LayerEntry): number => entry.sizeBytes + entry.hiddenBytes;
  return entries.toSorted((a, b) => weight(b) - weight(a) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)).slice(0, MAX_ENTRIES);
}

function shownPath(bytes: string): string {
  const text = toDisplay(bytes);
  return text.length <= MAX_PATH_CHARACTERS ? text : `…${text.slice(-MAX_PATH_CHARACTERS)}`;
}
