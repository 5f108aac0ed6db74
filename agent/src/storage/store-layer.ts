import { createHash } from "node:crypto";
import { open, stat } from "node:fs/promises";
import { FlotillaError } from "@flotilla/core";
import { detectCompression, digestOfHex, type Compression, type Digest } from "@flotilla/image";
import { decompress } from "../archive/decompress.ts";
import type { StorageContext } from "./context.ts";
import type { LooseLayer } from "./layers.ts";

export type WantedLayer = {
  /** A blob that is on disk and leased, as the chain is, brought by whoever wants the layer. */
  blobDigest: Digest;
  blobBytes: number;
  diffId: Digest;
  chainId: Digest;
  parent: Digest | null;
};

/** A layer whose blob was checked; its tree has no place yet, or is in the store already. */
export type PreparedLayer = { wanted: WantedLayer; compression: Compression; loose: LooseLayer | undefined };

/**
 * Extracts a layer beside the store, unless its chain is there. Also then the blob that was brought must be that layer:
 * naming its hashes alone must not open another namespace's layer. Layers of an image can be prepared in any order.
 * @throws FlotillaError `invalid` when the blob is not what the image says.
 */
export async function prepareLayer(context: StorageContext, wanted: WantedLayer): Promise<PreparedLayer> {
  const known = context.collector.findBlob(wanted.blobDigest);
  if (known !== undefined) check(wanted, known.diff_id);
  const isExtracted = context.layers.find(wanted.chainId) !== undefined;
  if (known !== undefined && isExtracted) return { wanted, compression: known.compression, loose: undefined };
  const compression = await compressionOf(context, wanted.blobDigest);
  if (isExtracted) {
    check(wanted, await hashOf(decompress({ compression, source: context.blobs.read(wanted.blobDigest) })));
    return { wanted, compression, loose: undefined };
  }
  return { wanted, compression, loose: await extract(context, wanted, compression) };
}

/** Gives a prepared layer its place; those below it come first. */
export function adoptLayer(context: StorageContext, { wanted, compression, loose }: PreparedLayer): void {
  if (loose !== undefined) context.layers.adopt(loose, { chainId: wanted.chainId, parent: wanted.parent });
  context.collector.addBlob({ digest: wanted.blobDigest, diff_id: wanted.diffId, compression, size_bytes: wanted.blobBytes });
}

async function extract(context: StorageContext, wanted: WantedLayer, compression: Compression): Promise<LooseLayer> {
  const { size } = await stat(context.blobs.path(wanted.blobDigest));
  const layer = await context.layers.extractFile({ path: context.blobs.path(wanted.blobDigest), lengths: once(size) }, { compression });
  try {
    check(wanted, layer.diffId);
    return layer;
  } catch (error) {
    context.layers.discard(layer);
    throw error;
  }
}

function check(wanted: WantedLayer, found: Digest): void {
  if (found !== wanted.diffId) throw new FlotillaError("invalid", `layer verification failed: expected ${wanted.diffId}, got ${found}`);
}

async function compressionOf(context: StorageContext, digest: Digest): Promise<Compression> {
  const file = await open(context.blobs.path(digest), "r");
  try {
    const head = Buffer.alloc(4);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return detectCompression(head.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

async function* once(length: number): AsyncGenerator<number> {
  yield length;
}

async function hashOf(plain: AsyncIterable<Buffer>): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of plain) hash.update(chunk);
  return digestOfHex(hash.digest("hex"));
}
