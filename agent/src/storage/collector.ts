import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@flotilla/image";
import type { Database } from "../store/database.ts";
import type { Blobs } from "./blobs.ts";
import type { Layers } from "./layers.ts";
import type { Leases } from "./leases.ts";
import { blobRowSchema, layerRowSchema, type BlobRow } from "./schema.ts";
import { layerName, type StorePaths } from "./store-paths.ts";
import type { Trash } from "./trash.ts";

type CollectorOptions = { db: Database; blobs: Blobs; layers: Layers; leases: Leases; paths: StorePaths; trash: Trash };

export type Collected = { chainIds: Digest[]; sizeBytes: number };

/**
 * Removes layers and blobs that no image, no container and no operation under way uses.
 *
 * INVARIANT: deciding that something is unused and making it unfindable happen without an `await` in between; operations
 * hold a lease from before they add something until an image leads to it.
 */
export class Collector {
  readonly #options: CollectorOptions;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Records a layer blob that is on disk. */
  addBlob(row: BlobRow): void {
    this.#options.db.run(
      "INSERT INTO storage_blobs (digest, diff_id, compression, size_bytes) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
      row.digest,
      row.diff_id,
      row.compression,
      row.size_bytes,
    );
  }

  findBlob(digest: string): BlobRow | undefined {
    const row = this.#options.db.get("SELECT * FROM storage_blobs WHERE digest = ?", digest);
    return row === undefined ? undefined : blobRowSchema.parse(row);
  }

  /** Says which layers went, top ones first, and their bytes: what Docker reports as deleted and reclaimed. */
  collect(): Collected {
    const collected = this.#collectLayers();
    this.#collectBlobs();
    return collected;
  }

  /** Start-up: everything half-made, and files that no row knows. */
  async recover(): Promise<void> {
    const { layers, paths, trash } = this.#options;
    for (const name of readdirSync(paths.tmp)) trash.discard(join(paths.tmp, name));
    const known = new Set([layerName(0), ...layers.all().map((layer) => layerName(layer.number))]);
    for (const name of readdirSync(paths.layers)) {
      if (!known.has(name)) trash.discard(join(paths.layers, name));
    }
    this.collect();
    this.discardUnknown(await this.#options.blobs.list());
    trash.empty();
  }

  #collectLayers(): Collected {
    const { db, layers, leases } = this.#options;
    const collected: Collected = { chainIds: [], sizeBytes: 0 };
    // A layer goes only after those above it, so each round peels the tops off.
    for (;;) {
      const unused = db
        .all(
          `SELECT * FROM storage_layers l WHERE
             NOT EXISTS (SELECT 1 FROM storage_layers c WHERE c.parent = l.chain_id) AND
             NOT EXISTS (SELECT 1 FROM storage_image_layers i WHERE i.chain_id = l.chain_id) AND
             NOT EXISTS (SELECT 1 FROM storage_rootfs r WHERE r.chain_id = l.chain_id)`,
        )
        .map((row) => layerRowSchema.parse(row))
        .filter((row) => !leases.has(row.chain_id));
      if (unused.length === 0) return collected;
      for (const row of unused) {
        layers.remove(row);
        collected.chainIds.push(row.chain_id);
        collected.sizeBytes += row.size_bytes;
      }
    }
  }

  #collectBlobs(): void {
    const { db, blobs, leases, trash } = this.#options;
    const unused = db
      .all("SELECT * FROM storage_blobs b WHERE NOT EXISTS (SELECT 1 FROM storage_image_layers i WHERE i.blob_digest = b.digest)")
      .map((row) => blobRowSchema.parse(row))
      .filter((row) => !leases.has(row.digest));
    for (const row of unused) {
      db.run("DELETE FROM storage_blobs WHERE digest = ?", row.digest);
      trash.discard(blobs.path(row.digest));
    }
  }

  /** Takes blobs away that are on disk but belong to no layer: what a load or a kill left. */
  discardUnknown(digests: Iterable<Digest>): void {
    const { blobs, leases, trash } = this.#options;
    for (const digest of digests) {
      if (this.findBlob(digest) === undefined && !leases.has(digest)) trash.discard(blobs.path(digest));
    }
  }
}
