import { FlotillaError } from "@flotilla/core";
import { chainIds, imageConfigSchema, MEDIA_TYPE, shortId, type Descriptor, type Digest, type ImageConfig } from "@flotilla/image";
import { fetchBlob, type PullProgress, type ResolvedImage } from "@flotilla/registry";
import { hashText, type ImageRecord } from "../storage/image-records.ts";
import { MAX_LAYERS } from "../storage/layers.ts";
import type { Lease } from "../storage/leases.ts";
import type { DistributionContext, PullRequest } from "./context.ts";
import type { TransferHold } from "./layer-transfers.ts";
import type { Emit } from "./progress-stream.ts";
import type { SharedRepository } from "./shared-repository.ts";

export type ImageFetch = {
  request: PullRequest;
  shared: SharedRepository;
  resolved: ResolvedImage;
  /** Holds what arrives until the image leads to it. */
  lease: Lease;
  emit: Emit;
};

/** Docker's limit is the same. */
const MAX_CONFIG_BYTES = 4 * 2 ** 20;
const CONFIG_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPE.ociConfig, MEDIA_TYPE.dockerConfig, "application/octet-stream"]);
const LAYER_TYPES: ReadonlySet<string> = new Set([
  MEDIA_TYPE.ociLayer,
  MEDIA_TYPE.ociLayerGzip,
  MEDIA_TYPE.ociLayerZstd,
  MEDIA_TYPE.dockerLayer,
  MEDIA_TYPE.dockerLayerGzip,
]);

/**
 * Brings an image into a namespace: its configuration, and the layers that no image of the namespace has. The layers get
 * their places together, when the last of them is there; what was downloaded before a failure waits for the next pull.
 */
export async function fetchImage(context: DistributionContext, fetch: ImageFetch): Promise<ImageRecord> {
  const { manifest } = fetch.resolved.image;
  const known = context.store.records.find(fetch.request.namespace, manifest.config.digest);
  if (known !== undefined) {
    checkPlatform(known.config, fetch.request);
    addSources(context, fetch, manifest.layers);
    return known;
  }
  checkLayers(manifest.layers);
  const { configText, config } = await fetchConfig(fetch);
  checkConfig(config, fetch);
  const layers = plan(config, manifest.layers);
  for (const { chainId, blob } of layers) {
    fetch.lease.add(chainId);
    fetch.lease.add(blob.digest);
  }
  const record = await fetchLayers(context, fetch, { layers, configText });
  addSources(context, fetch, manifest.layers);
  return record;
}

type PlannedLayer = { blob: Descriptor; diffId: Digest; chainId: Digest; parent: Digest | null };

function plan(config: ImageConfig, blobs: readonly Descriptor[]): PlannedLayer[] {
  const diffIds = config.rootfs.diff_ids;
  const chain = chainIds(diffIds, hashText);
  return blobs.flatMap((blob, index) => {
    const [diffId, chainId] = [diffIds[index], chain[index]];
    return diffId === undefined || chainId === undefined ? [] : [{ blob, diffId, chainId, parent: chain[index - 1] ?? null }];
  });
}

type PlannedImage = { layers: readonly PlannedLayer[]; configText: string };

async function fetchLayers(context: DistributionContext, fetch: ImageFetch, { layers, configText }: PlannedImage): Promise<ImageRecord> {
  const { namespace } = fetch.request;
  const holds: { layer: PlannedLayer; hold: TransferHold | undefined }[] = [];
  try {
    const stored = layers.map(({ chainId, blob }) => {
      const own = context.store.records.findLayer(namespace, chainId);
      if (own !== undefined) fetch.lease.add(own.blob.digest);
      return { chainId, blobDigest: own?.blob.digest ?? blob.digest };
    });
    for (const layer of layers) {
      const isOwn = context.store.records.findLayer(namespace, layer.chainId) !== undefined;
      const id = shortId(layer.blob.digest);
      fetch.emit({ status: isOwn ? "Already exists" : "Pulling fs layer", id, progressDetail: {} });
      const onProgress = layerProgress(fetch.emit);
      holds.push({ layer, hold: isOwn ? undefined : context.transfers.hold({ namespace, ...layer }, fetch.shared, onProgress) });
    }
    await awaitAll(holds, fetch);
    // From here to the image's row nothing waits: either all of it is there or nothing.
    for (const { layer, hold } of holds) hold?.adopt(layer.parent);
    return context.store.records.add({ namespace, configText, layers: stored });
  } finally {
    await Promise.all(holds.flatMap(({ hold }) => (hold === undefined ? [] : [hold.release()])));
  }
}

/** Waits from the lowest layer up, and tells of each that is complete down to the ground. The first failure ends all. */
async function awaitAll(holds: readonly { layer: PlannedLayer; hold: TransferHold | undefined }[], fetch: ImageFetch): Promise<void> {
  const { signal } = fetch.request;
  signal.throwIfAborted();
  const cancelled = Promise.withResolvers<never>();
  const cancel = (): void => cancelled.reject(new FlotillaError("unavailable", "context canceled"));
  signal.addEventListener("abort", cancel, { once: true });
  try {
    const failed = Promise.all(holds.flatMap(({ hold }) => (hold === undefined ? [] : [hold.done]))).then(
      () => new Promise<never>(() => undefined),
    );
    failed.catch(() => undefined);
    for (const { layer, hold } of holds) {
      if (hold === undefined) continue;
      await Promise.race([hold.done, failed, cancelled.promise]);
      fetch.emit({ status: "Pull complete", id: shortId(layer.blob.digest), progressDetail: {} });
    }
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

function layerProgress(emit: Emit): (progress: PullProgress) => void {
  return (progress) => {
    const id = shortId(progress.digest);
    if (progress.status === "Downloading") {
      const { current, total } = progress;
      return emit({ status: "Downloading", id, progressDetail: { current, total } });
    }
    if (progress.status === "Retrying") return emit({ status: `Retrying (attempt ${progress.attempt})`, id, progressDetail: {} });
    emit({ status: progress.status, id, progressDetail: {} });
    // The tree was written while the bytes came; what is left is the rest of the last buffers.
    if (progress.status === "Download complete") emit({ status: "Extracting", id, progressDetail: {} });
  };
}

async function fetchConfig(fetch: ImageFetch): Promise<{ configText: string; config: ImageConfig }> {
  const { config: descriptor } = fetch.resolved.image.manifest;
  if (!CONFIG_TYPES.has(descriptor.mediaType))
    throw new FlotillaError("invalid", `Encountered remote "${descriptor.mediaType.slice(0, 120)}"(unknown) when fetching`);
  const { repository } = fetch.shared;
  const bytes = await fetchBlob(repository, descriptor, { maxBytes: MAX_CONFIG_BYTES, signal: fetch.request.signal });
  const configText = bytes.toString("utf8");
  // The id is the hash of the bytes: text that is not UTF-8 would change on its way.
  if (hashText(configText) !== descriptor.digest) throw new FlotillaError("invalid", "invalid image configuration: it is not UTF-8");
  const parsed = imageConfigSchema.safeParse(parseJson(configText));
  if (parsed.success) return { configText, config: parsed.data };
  throw new FlotillaError("invalid", `invalid image configuration: ${parsed.error.issues[0]?.message ?? "unexpected shape"}`);
}

function checkLayers(layers: readonly Descriptor[]): void {
  if (layers.length > MAX_LAYERS) throw new FlotillaError("invalid", "max depth exceeded");
  for (const { mediaType, digest } of layers) {
    if (mediaType.includes("foreign") || mediaType.includes("nondistributable"))
      throw new FlotillaError("invalid", `layer ${digest} is a foreign layer, which lies outside of the registry: it is not fetched`);
    if (!LAYER_TYPES.has(mediaType)) throw new FlotillaError("invalid", `unsupported layer media type: ${mediaType.slice(0, 120)}`);
  }
}

function checkConfig(config: ImageConfig, fetch: ImageFetch): void {
  const expected = config.rootfs.diff_ids.length;
  const { length } = fetch.resolved.image.manifest.layers;
  if (expected !== length)
    throw new FlotillaError("invalid", `invalid manifest, layers length mismatch: expected ${expected}, got ${length}`);
  if (config.os !== "linux") throw new FlotillaError("invalid", `image operating system "${config.os}" cannot be used on this platform`);
  checkPlatform(config, fetch.request);
}

function checkPlatform(config: ImageConfig, { platform, isPlatformAsked }: PullRequest): void {
  if (!isPlatformAsked || config.architecture === platform.architecture) return;
  const wanted = `wanted ${platform.os}/${platform.architecture}, actual: ${config.os}/${config.architecture}`;
  throw new FlotillaError("not_found", `image was found but does not match the specified platform: ${wanted}`);
}

function addSources(context: DistributionContext, fetch: ImageFetch, blobs: readonly Descriptor[]): void {
  const { collector, records } = context.store;
  for (const { digest } of blobs) {
    if (collector.findBlob(digest) !== undefined) records.addSource(fetch.request.namespace, digest, fetch.shared.repository.reference);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
