import { lstat, readdir } from "node:fs/promises";
import { toPath } from "../archive/tar/block.ts";
import type { StorageContext } from "./context.ts";
import { openDirectory, pathOf } from "./open-no-follow.ts";

/** How old an answer may be: `docker ps --size` and the dashboard ask again and again. */
const FRESH_MS = 5_000;

export type RootfsSize = { sizeRwBytes: number; sizeRootBytes: number };

/** Sizes of containers' root file systems. A walk under way is shared, and its answer is kept for a few seconds. */
export class RootfsUsage {
  readonly #context: Pick<StorageContext, "snapshots" | "layers" | "nowMs">;
  readonly #walks = new Map<string, { sizeBytes: Promise<number>; startedMs: number }>();

  constructor(context: Pick<StorageContext, "snapshots" | "layers" | "nowMs">) {
    this.#context = context;
  }

  /** @throws FlotillaError `not_found` for a container without a writable layer. */
  async get(containerId: string): Promise<RootfsSize> {
    const { snapshots, layers } = this.#context;
    const row = snapshots.get(containerId);
    const sizeRwBytes = await this.#upperBytes(containerId, snapshots.upperPath(containerId));
    const imageBytes = layers.chain(row.chain_id).reduce((sum, layer) => sum + layer.size_bytes, 0);
    return { sizeRwBytes, sizeRootBytes: imageBytes + sizeRwBytes };
  }

  #upperBytes(containerId: string, path: string): Promise<number> {
    const nowMs = this.#context.nowMs();
    for (const [id, walk] of this.#walks) if (nowMs - walk.startedMs > FRESH_MS) this.#walks.delete(id);
    const known = this.#walks.get(containerId);
    if (known !== undefined) return known.sizeBytes;
    const sizeBytes = treeSizeBytes(path);
    this.#walks.set(containerId, { sizeBytes, startedMs: nowMs });
    return sizeBytes;
  }
}

/**
 * Bytes of the files below a directory; one with several names counts once. What goes away meanwhile counts nothing.
 * Asynchronous throughout: a big writable layer must not hold up the agent.
 */
export async function treeSizeBytes(path: string, seen: Set<string> = new Set()): Promise<number> {
  const directory = await openDirectory(toPath(path)).catch(() => undefined);
  if (directory === undefined) return 0;
  try {
    let sizeBytes = 0;
    const base = pathOf(directory);
    for (const entry of await readdir(base, { withFileTypes: true, encoding: "latin1" as BufferEncoding })) {
      const child = `${base}/${entry.name}`;
      if (entry.isDirectory()) sizeBytes += await treeSizeBytes(child, seen);
      else if (entry.isFile()) sizeBytes += await fileSizeBytes(child, seen);
    }
    return sizeBytes;
  } finally {
    await directory.close();
  }
}

async function fileSizeBytes(path: string, seen: Set<string>): Promise<number> {
  const stats = await lstat(toPath(path)).catch(() => undefined);
  if (stats === undefined || !stats.isFile()) return 0;
  if (stats.nlink > 1) {
    const inode = `${stats.dev}:${stats.ino}`;
    if (seen.has(inode)) return 0;
    seen.add(inode);
  }
  return stats.size;
}
