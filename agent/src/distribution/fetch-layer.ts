import { createHash } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import { digestOfHex, type Compression, type Descriptor, type Digest } from "@flotilla/image";
import { downloadBlob, type PartialBlob, type PullProgress, type Repository } from "@flotilla/registry";
import { decompress, peekCompression } from "../archive/decompress.ts";
import type { StorageContext } from "../storage/context.ts";
import type { LooseLayer } from "../storage/layers.ts";

export type LayerFetch = {
  blob: Descriptor;
  /** What the image's configuration says the layer is. */
  diffId: Digest;
  chainId: Digest;
  partial: PartialBlob;
  onProgress: (progress: PullProgress) => void;
  signal: AbortSignal;
};

/** `loose` is undefined when the chain is in the store already; then the bytes were compared with it. */
export type FetchedLayer = { loose: LooseLayer | undefined; compression: Compression };

/** A layer may grow so many times when it is decompressed, or to this much: beyond is a bomb. */
const MAX_EXPANSION = 256;
const MAX_EXPANSION_FLOOR_BYTES = 4 * 2 ** 30;

/**
 * Downloads, verifies, decompresses, hashes and extracts a layer, all at once. The verified blob is in the partial file then.
 * @throws FlotillaError `invalid` when blob or layer are not what manifest and configuration say; nothing of it is kept then.
 */
export async function fetchLayer(context: StorageContext, repository: Repository, fetch: LayerFetch): Promise<FetchedLayer> {
  const download = new Download(repository, fetch);
  let loose: LooseLayer | undefined;
  try {
    const peeked = await peekCompression(download.bytes());
    const maxBytes = Math.max(MAX_EXPANSION_FLOOR_BYTES, fetch.blob.size * MAX_EXPANSION);
    if (context.layers.find(fetch.chainId) === undefined) {
      const { compression, source } = peeked;
      const file = { path: fetch.partial.dataPath, lengths: lengthsOf(source) };
      loose = await context.layers.extractFile(file, { compression, maxBytes, signal: fetch.signal });
    }
    const diffId = loose?.diffId ?? (await hashOf(bounded(decompress(peeked), maxBytes)));
    await download.finish();
    if (diffId !== fetch.diffId) throw new FlotillaError("invalid", `layer verification failed: expected ${fetch.diffId}, got ${diffId}`);
    return { loose, compression: peeked.compression };
  } catch (error) {
    if (loose !== undefined) context.layers.discard(loose);
    throw await download.explain(error);
  }
}

/**
 * How many bytes there have been. Who extracts reads them from the file, so each piece's memory is given back: it would else take a
 * garbage collection of all that the agent holds for every few megabytes.
 */
async function* lengthsOf(source: AsyncIterable<Buffer>): AsyncGenerator<number> {
  let length = 0;
  for await (const { buffer, byteLength } of source) {
    length += byteLength;
    yield length;
    // A piece that is a part of more is left alone.
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
  }
}

/** The bytes of the blob for one reader who may leave before their end. */
class Download {
  readonly #repository: Repository;
  readonly #fetch: LayerFetch;
  #isVerified = false;
  #failure: { cause: unknown } | undefined;

  constructor(repository: Repository, fetch: LayerFetch) {
    this.#repository = repository;
    this.#fetch = fetch;
  }

  async *bytes(): AsyncGenerator<Buffer> {
    try {
      yield* downloadBlob(this.#repository, this.#fetch);
      this.#isVerified = true;
    } catch (cause) {
      this.#failure = { cause };
      throw cause;
    }
  }

  /** Makes sure of all of the blob: a decompressor stops at the end of its stream, whatever follows. */
  async finish(): Promise<void> {
    if (this.#isVerified) return;
    for await (const _ of this.bytes());
  }

  /**
   * Which of two errors is the cause: bytes that do not make a layer are often not those of the manifest, and whoever extracts from the
   * file of a download that has failed may find it empty before it is told.
   */
  async explain(error: unknown): Promise<unknown> {
    const { signal, partial } = this.#fetch;
    if (this.#failure !== undefined) return this.#failure.cause;
    const isContent = error instanceof FlotillaError && error.code === "invalid";
    if (!isContent || signal.aborted) return error;
    try {
      await this.finish();
    } catch (cause) {
      return cause;
    }
    // These bytes will never be a layer.
    await partial.reset();
    return error;
  }
}

async function* bounded(plain: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let seen = 0;
  for await (const chunk of plain) {
    seen += chunk.length;
    if (seen > maxBytes) throw new FlotillaError("invalid", `layer expands to more than ${maxBytes} bytes`);
    yield chunk;
  }
}

async function hashOf(plain: AsyncIterable<Buffer>): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of plain) hash.update(chunk);
  return digestOfHex(hash.digest("hex"));
}
