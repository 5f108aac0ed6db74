import { toFlotillaError } from "@flotilla/core";
import type { Descriptor, Digest, Manifest } from "@flotilla/image";
import type { PushProgress } from "./progress.ts";
import { putManifest } from "./manifests.ts";
import { pushBlob } from "./push-blob.ts";
import type { Repository } from "./repository.ts";
import { isCancelled } from "./session.ts";

export type ImagePush = {
  /** A tag, or the manifest's digest. */
  reference: string;
  manifest: Manifest;
  /** The manifest as it is stored: what is put and hashed. */
  bytes: Uint8Array;
  mediaType: string;
  /** A blob's bytes from an offset on. */
  open: (blob: Descriptor, offset: number) => AsyncIterable<Uint8Array>;
  /** Paths of repositories of the same registry that may have a blob. */
  mountFrom: (blob: Descriptor) => readonly string[];
  onProgress: (progress: PushProgress) => void;
  signal: AbortSignal;
};

/** As many as Docker sends beside each other. */
const PARALLEL_UPLOADS = 5;

/**
 * Pushes an image: blobs first, the manifest when all are there. A push that is cut off leaves nothing that has a name.
 * @returns what `tag: digest: … size: …` tells.
 */
export async function pushImage(repository: Repository, push: ImagePush): Promise<{ digest: Digest; sizeBytes: number }> {
  const { manifest } = push;
  const blobs = [...new Map([...manifest.layers, manifest.config].map((blob) => [blob.digest, blob])).values()];
  for (const blob of manifest.layers) push.onProgress({ status: "Preparing", digest: blob.digest });
  // One failure ends the others: their uploads would be for nothing.
  const stop = new AbortController();
  const signal = AbortSignal.any([push.signal, stop.signal]);
  const queue = blobs.values();
  const work = async (): Promise<void> => {
    for (const blob of queue) {
      // The configuration is not a layer, and Docker does not tell of it.
      const onProgress = blob.digest === manifest.config.digest ? (): void => undefined : push.onProgress;
      await pushBlob(repository, { blob, open: (offset) => push.open(blob, offset), mountFrom: push.mountFrom(blob), onProgress, signal });
    }
  };
  const workers = Array.from({ length: Math.min(PARALLEL_UPLOADS, blobs.length) }, async () => {
    try {
      await work();
    } catch (error) {
      stop.abort();
      throw error;
    }
  });
  const results = await Promise.allSettled(workers);
  // The first to fail is the cause; those that it stopped have only been cancelled.
  const failures = results.filter((result) => result.status === "rejected").map(({ reason }): unknown => reason);
  const cause = failures.find((reason) => !isCancelled(reason)) ?? failures[0];
  if (cause !== undefined) throw toFlotillaError(cause);
  const digest = await putManifest(repository, { reference: push.reference, mediaType: push.mediaType, bytes: push.bytes }, push.signal);
  return { digest, sizeBytes: push.bytes.length };
}
