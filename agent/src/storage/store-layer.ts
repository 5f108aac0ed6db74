import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { FlotillaError } from "@flotilla/core";
import { detectCompression, digestOfHex, type Compression, type Digest } from "@flotilla/image";
import { decompress } from "../archive/decompress.ts";
import type { StorageContext } from "./context.ts";
import type { Lease } from "./leases.ts";

export type WantedLayer = {
  /** A blob that is on disk and leased, brought by whoever wants the layer. */
  blobDigest: Digest;
  blobBytes: number;
  diffId: Digest;
  chainId: Digest;
  parent: Digest | null;
};

/**
 * Makes sure that a layer's tree is in the store. Also when it is there already, the blob that was brought must be that
 * layer: naming its hashes alone must not open another namespace's layer.
 * @throws FlotillaError `invalid` when the blob is not what the image says.
 */
export async function ensureLayer(context: StorageContext, wanted: WantedLayer, lease: Lease): Promise<void> {
  lease.add(wanted.chainId);
  await context.layers.exclusively(wanted.chainId, async () => {
    const known = context.collector.findBlob(wanted.blobDigest);
    if (known !== undefined) check(wanted, known.diff_id);
    const isExtracted = context.layers.find(wanted.chainId) !== undefined;
    if (known !== undefined && isExtracted) return;
    const compression = await compressionOf(context, wanted.blobDigest);
    const plain = decompress({ compression, source: context.blobs.read(wanted.blobDigest) });
    if (isExtracted) check(wanted, await hashOf(plain));
    else await extract(context, wanted, plain);
    context.collector.addBlob({ digest: wanted.blobDigest, diff_id: wanted.diffId, compression, size_bytes: wanted.blobBytes });
  });
}

async function extract(context: StorageContext, wanted: WantedLayer, plain: ReturnType<typeof decompress>): Promise<void> {
  const layer = await context.layers.extract(plain);
  try {
    check(wanted, layer.diffId);
  } catch (error) {
    context.layers.discard(layer);
    throw error;
  }
  context.layers.adopt(layer, { chainId: wanted.chainId, parent: wanted.parent });
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

async function hashOf(plain: AsyncIterable<Buffer>): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of plain) hash.update(chunk);
  return digestOfHex(hash.digest("hex"));
}
