import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { KeyedLock } from "@flotilla/core";
import type { BlobRow } from "../storage/schema.ts";
import type { StorageContext } from "../storage/context.ts";
import type { Lease } from "../storage/leases.ts";

/** Fast, and within a few percent of the size that slower levels give for layers. */
const GZIP_LEVEL = 4;
const CHUNK_BYTES = 256 * 1024;

/**
 * Plain layer blobs become gzip, once: from then on images have the compressed one, and the plain one goes. No time and no
 * name is in the stream, so that the same layer gives the same digest.
 */
export class BlobCompressor {
  readonly #context: StorageContext;
  readonly #locks = new KeyedLock();

  constructor(context: StorageContext) {
    this.#context = context;
  }

  /** The blob as it is pushed. @param lease holds it, as it holds the plain one. */
  async compress(plain: BlobRow, request: { lease: Lease; signal: AbortSignal }): Promise<BlobRow> {
    if (plain.compression !== "none") return plain;
    return this.#locks.run(plain.digest, () => this.#compress(plain, request));
  }

  async #compress(plain: BlobRow, { lease, signal }: { lease: Lease; signal: AbortSignal }): Promise<BlobRow> {
    const { blobs, collector, records } = this.#context;
    const writer = await blobs.create();
    try {
      const gzip = createGzip({ level: GZIP_LEVEL, chunkSize: CHUNK_BYTES });
      await pipeline(
        blobs.read(plain.digest),
        gzip,
        async (chunks: AsyncIterable<Buffer>) => {
          for await (const chunk of chunks) await writer.write(chunk);
        },
        { signal },
      );
      const blob = await writer.commit(lease.add);
      const row: BlobRow = { digest: blob.digest, diff_id: plain.diff_id, compression: "gzip", size_bytes: blob.sizeBytes };
      collector.addBlob(row);
      records.replaceBlob(plain.digest, row.digest);
      return row;
    } finally {
      await writer.abort();
    }
  }
}
