import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { renameSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { FlotillaError } from "@flotilla/core";
import { digestSchema, type Compression, type Digest } from "@flotilla/image";
import type { Job } from "../archive/worker/jobs.ts";
import type { ArchiveWorkers } from "../archive/workers.ts";
import type { Database } from "../store/database.ts";
import { layerRowSchema, type LayerRow } from "./schema.ts";
import { toStorageError } from "./storage-error.ts";
import type { StorePaths } from "./store-paths.ts";
import type { Trash } from "./trash.ts";

/** Layers of one image: with the writable one on top this many fit the options of an overlay mount and Docker's manual. */
export const MAX_LAYERS = 127;

/** An extracted tree that has no name yet. */
export type LooseLayer = { directory: string; diffId: Digest; sizeBytes: number };

export type ExtractOptions = {
  compression: Compression;
  /** A layer that grows to more when it is decompressed is refused. */
  maxBytes?: number;
  signal?: AbortSignal | undefined;
};

export type LayerFile = { path: string; lengths: AsyncIterable<number> };

type ExtractJob = Extract<Job, { kind: "extract-layer" }>;

type LayersOptions = { paths: StorePaths; db: Database; workers: ArchiveWorkers; trash: Trash };

/** One extracted directory per chain of layers, shared by all images and namespaces that have the chain. */
export class Layers {
  readonly #paths: StorePaths;
  readonly #db: Database;
  readonly #workers: ArchiveWorkers;
  readonly #trash: Trash;

  constructor(options: LayersOptions) {
    this.#paths = options.paths;
    this.#db = options.db;
    this.#workers = options.workers;
    this.#trash = options.trash;
  }

  find(chainId: Digest): LayerRow | undefined {
    const row = this.#db.get("SELECT * FROM storage_layers WHERE chain_id = ?", chainId);
    return row === undefined ? undefined : layerRowSchema.parse(row);
  }

  get(chainId: Digest): LayerRow {
    const row = this.find(chainId);
    if (row === undefined) throw new FlotillaError("internal", `layer ${chainId} does not exist`);
    return row;
  }

  /** The layers of a chain, top first: the order of overlayfs's lowerdir. */
  chain(chainId: Digest | null): LayerRow[] {
    const rows: LayerRow[] = [];
    for (let next = chainId; next !== null;) {
      const row = this.get(next);
      rows.push(row);
      next = row.parent;
    }
    return rows;
  }

  /**
   * Extracts a tar, compressed or not, beside the store. The caller adopts it (`adopt`) or throws it away (`discard`).
   * @throws FlotillaError `invalid` for a broken or hostile tar, `exhausted` for a full disk; nothing is left then.
   */
  async extract(tar: Readable, options: ExtractOptions): Promise<LooseLayer> {
    try {
      return await this.#extract(options, (job) => this.#workers.run(job, tar, options.signal));
    } catch (error) {
      tar.destroy();
      throw error;
    }
  }

  /** The same from a file, also while it is written: `lengths` says how much of it is there, and ends when it is whole. */
  extractFile(file: LayerFile, options: ExtractOptions): Promise<LooseLayer> {
    return this.#extract(options, (job) => this.#workers.extract({ ...job, inputPath: file.path }, file.lengths, options.signal));
  }

  async #extract(options: ExtractOptions, run: (job: ExtractJob) => ReturnType<ArchiveWorkers["run"]>): Promise<LooseLayer> {
    const directory = join(this.#paths.tmp, `layer-${randomUUID()}`);
    try {
      await mkdir(directory, { mode: 0o755 });
      const answer = await run(extractJob(directory, options));
      if (answer.kind !== "extracted") throw new FlotillaError("internal", `archive worker: unexpected answer ${answer.kind}`);
      return { directory, diffId: digestSchema.parse(answer.diffId), sizeBytes: answer.sizeBytes };
    } catch (error) {
      this.#trash.discard(directory);
      throw toStorageError("extract layer", error);
    }
  }

  discard(layer: LooseLayer): void {
    this.#trash.discard(layer.directory);
  }

  /** Gives an extracted tree its place in the store; when the chain is there already, the tree is thrown away. */
  adopt(layer: LooseLayer, at: { chainId: Digest; parent: Digest | null }): void {
    if (this.find(at.chainId) !== undefined) return this.discard(layer);
    const depth = at.parent === null ? 1 : this.get(at.parent).depth + 1;
    if (depth > MAX_LAYERS) {
      this.discard(layer);
      throw new FlotillaError("invalid", "max depth exceeded");
    }
    // A kill after the rename and before the commit leaves a directory without a row, which start-up removes.
    this.#db.transaction(() => {
      const { lastInsertRowid } = this.#db.run(
        "INSERT INTO storage_layers (chain_id, parent, diff_id, depth, size_bytes) VALUES (?, ?, ?, ?, ?)",
        at.chainId,
        at.parent,
        layer.diffId,
        depth,
        layer.sizeBytes,
      );
      renameSync(layer.directory, this.#paths.layer(lastInsertRowid));
    });
  }

  /** Drops a layer that nothing uses: row first, so that no lookup finds a tree that is going away. */
  remove(row: LayerRow): void {
    this.#db.run("DELETE FROM storage_layers WHERE number = ?", row.number);
    this.#trash.discard(this.#paths.layer(row.number));
  }

  all(): LayerRow[] {
    return this.#db.all("SELECT * FROM storage_layers").map((row) => layerRowSchema.parse(row));
  }
}

function extractJob(root: string, { compression, maxBytes }: ExtractOptions): ExtractJob {
  return { kind: "extract-layer", root, compression, ...(maxBytes === undefined ? {} : { maxBytes }) };
}
