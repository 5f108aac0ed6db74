import { lstatSync, type Stats } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FlotillaError } from "@flotilla/core";
import type { Digest } from "@flotilla/image";
import type { StorageContext } from "./context.ts";
import { hashText } from "./image-records.ts";
import { MAX_LAYERS, type LooseLayer } from "./layers.ts";
import type { Lease } from "./leases.ts";
import { toStorageError } from "./storage-error.ts";

export type CommitLayer = {
  /** An upper directory of overlayfs, or a plain directory whose content is all of the layer. */
  directory: string;
  /** Chain id of the layer below, null for the first. It exists and is leased or used. */
  parent: Digest | null;
  /**
   * `move`: the directory is on the store's file system, nothing uses it any more, and it becomes the layer itself (it is gone
   * afterwards, also after an error). `copy`: it stays as it is and may belong to a container that runs.
   */
  mode: "move" | "copy";
  /** What it makes is held by this until an image leads to it. */
  lease: Lease;
  /** SOURCE_DATE_EPOCH: later times become this one. */
  maxMtimeSeconds?: number | undefined;
  signal?: AbortSignal | undefined;
};

export type CommittedLayer = {
  chainId: Digest;
  diffId: Digest;
  /** Of the uncompressed tar that is kept; a push compresses it. */
  blobDigest: Digest;
  /** Sum of the file sizes. */
  sizeBytes: number;
};

/** Made by the runtime in every container to mount on; Docker makes them in a layer of its own that no commit holds. */
const ENGINE_MOUNT_POINTS = ["dev", "etc/hostname", "etc/hosts", "etc/resolv.conf", "proc", "sys"] as const;

/**
 * Makes a layer of what changed in a directory: its tar is deterministic (names sorted, whole seconds), stored as a blob, and
 * the tree takes its place on the parent's chain. Use it where `RUN`, `COPY` and `docker commit` end.
 * @throws FlotillaError `invalid` `max depth exceeded`, `exhausted` for a full disk; nothing is left then.
 */
export async function commitLayer(context: StorageContext, request: CommitLayer): Promise<CommittedLayer> {
  const { parent, lease } = request;
  const depth = parent === null ? 0 : context.layers.get(parent).depth;
  if (depth >= MAX_LAYERS) {
    if (request.mode === "move") context.trash.discard(request.directory);
    throw new FlotillaError("invalid", "max depth exceeded");
  }
  const { layer, blobBytes } = await storeLayer(context, request);
  const { diffId, sizeBytes } = layer;
  const chainId = parent === null ? diffId : hashText(`${parent} ${diffId}`);
  lease.add(chainId);
  context.layers.adopt(layer, { chainId, parent });
  context.collector.addBlob({ digest: diffId, diff_id: diffId, compression: "none", size_bytes: blobBytes });
  return { chainId, diffId, blobDigest: diffId, sizeBytes };
}

async function storeLayer(context: StorageContext, request: CommitLayer): Promise<{ layer: LooseLayer; blobBytes: number }> {
  const { directory, mode, lease, signal, maxMtimeSeconds } = request;
  const isConsumed = mode === "move";
  const writer = await context.blobs.create();
  let loose: LooseLayer | undefined;
  try {
    const { stream, done } = context.workers.packLayer(
      {
        kind: "pack-layer",
        root: directory,
        mountPoints: mountPointsOf(context, request),
        isConsumed,
        ...(maxMtimeSeconds === undefined ? {} : { maxMtimeSeconds }),
      },
      signal,
    );
    const bytes = writer.through(stream);
    if (isConsumed) await pipeline(bytes, drain);
    else loose = await context.layers.extract(Readable.from(bytes, { objectMode: false }), { compression: "none", signal });
    const { sizeBytes } = await done;
    const blob = await writer.commit(lease.add);
    return { layer: loose ?? { directory, diffId: blob.digest, sizeBytes }, blobBytes: blob.sizeBytes };
  } catch (error) {
    if (isConsumed) context.trash.discard(directory);
    else if (loose !== undefined) context.layers.discard(loose);
    throw toStorageError("commit layer", error);
  } finally {
    await writer.abort();
  }
}

async function drain(chunks: AsyncIterable<unknown>): Promise<void> {
  // The writer in front has taken each chunk already.
  for await (const _ of chunks);
}

/** Mount points of the engine's that no layer below has, and /etc when it is here only because of them. */
function mountPointsOf(context: StorageContext, { directory, parent }: CommitLayer): string[] {
  const trees = context.layers.chain(parent).map((layer) => context.paths.layer(layer.number));
  const below = (path: string): Stats | undefined => {
    for (const tree of trees) {
      const stats = lstatSync(`${tree}/${path}`, { throwIfNoEntry: false });
      if (stats !== undefined) return stats;
    }
    return undefined;
  };
  const points = ENGINE_MOUNT_POINTS.filter((path) => below(path) === undefined);
  const [here, before] = [lstatSync(`${directory}/etc`, { throwIfNoEntry: false }), below("etc")];
  const isUntouched = before === undefined || (before.mode === here?.mode && before.uid === here.uid && before.gid === here.gid);
  return isUntouched ? [...points, "etc"] : points;
}
