import { FlotillaError } from "@flotilla/core";
import { familiarRepository, formatFamiliar, repositoryOf, shortId, type Digest, type Reference } from "@flotilla/image";
import { pushImage, type OpenRepository, type PushProgress } from "@flotilla/registry";
import type { ImageRecord } from "../storage/image-records.ts";
import type { Lease } from "../storage/leases.ts";
import type { BlobRow } from "../storage/schema.ts";
import type { BlobCompressor } from "./compress-blob.ts";
import { openRegistries, remoteOf, type DistributionContext, type DistributionRequest } from "./context.ts";
import { describeManifest } from "./describe-manifest.ts";
import type { Emit } from "./progress-stream.ts";

export type PushRequest = DistributionRequest & {
  /** With a tag, or without for all tags of the repository that are here. */
  reference: Reference;
};

type TaggedImage = { name: Reference; record: ImageRecord };

export type StagedPush = { run(emit: Emit): Promise<void> };

/** First half of `docker push`: finds the images. @throws FlotillaError `not_found` in Docker's words. */
export function stagePush(context: DistributionContext, request: PushRequest, compressor: BlobCompressor): StagedPush {
  const { reference, namespace } = request;
  if (reference.digest !== undefined) throw new FlotillaError("invalid", "cannot push a digest reference");
  const { records } = context.store;
  const images = records
    .list(namespace)
    .flatMap((record) => records.names(record).map(({ reference: name }): TaggedImage => ({ name, record })))
    .filter(({ name }) => name.digest === undefined && repositoryOf(name) === repositoryOf(reference))
    .filter(({ name }) => reference.tag === undefined || name.tag === reference.tag)
    .toSorted((a, b) => ((a.name.tag ?? "") < (b.name.tag ?? "") ? -1 : 1));
  if (images.length === 0) {
    const shown = familiarRepository(reference);
    const message =
      reference.tag === undefined
        ? `An image does not exist locally with the tag: ${shown}`
        : `tag does not exist: ${formatFamiliar(reference)}`;
    throw new FlotillaError("not_found", message);
  }
  return { run: (emit) => runPush(context, { request, images, compressor, emit }) };
}

type Run = { request: PushRequest; images: readonly TaggedImage[]; compressor: BlobCompressor; emit: Emit };

async function runPush(context: DistributionContext, run: Run): Promise<void> {
  const { request, images, emit } = run;
  const { signal, credentials } = request;
  emit({ status: `The push refers to repository [${repositoryOf(request.reference)}]` });
  const { client, registries } = await openRegistries(context);
  using repository = await client.open({ reference: remoteOf(request.reference, registries), action: "push", credentials, signal });
  for (const image of images) await pushOne(context, { ...run, image, repository });
}

type One = Run & { image: TaggedImage; repository: OpenRepository };

async function pushOne(context: DistributionContext, one: One): Promise<void> {
  const { leases, collector } = context.store;
  const lease = leases.open();
  try {
    await pushHeld(context, one, lease);
  } finally {
    lease.release();
    collector.collect();
  }
}

async function pushHeld(context: DistributionContext, one: One, lease: Lease): Promise<void> {
  const { request, image, repository, emit } = one;
  const { namespace, signal } = request;
  const { records, blobs, events } = context.store;
  const { record, name } = image;
  const tag = name.tag ?? "latest";
  const layers = await compressLayers(context, one, lease);
  const config = Buffer.from(records.configText(record), "utf8");
  const pushed = describeManifest({ id: record.id, configBytes: config.length, layers });
  const diffIds = new Map(layers.map((layer) => [layer.digest, layer.diff_id]));
  const { digest, sizeBytes } = await pushImage(repository, {
    reference: tag,
    ...pushed,
    open: (blob, offset) => (blob.digest === record.id ? bytesOf(config, offset) : blobs.read(blob.digest, offset)),
    mountFrom: (blob) => {
      const { domain, path } = repository.reference;
      return records.sources(namespace, blob.digest, domain).filter((source) => source !== path);
    },
    onProgress: (progress) => emit(pushProgress(progress, diffIds)),
    signal,
  });
  for (const layer of layers) records.addSource(namespace, layer.digest, repository.reference);
  // It may have been removed meanwhile; then there is nothing to name.
  if (records.find(namespace, record.id) !== undefined) records.setName(record, { ...name, tag: undefined, digest });
  emit({ status: `${tag}: digest: ${digest} size: ${sizeBytes}` });
  emit({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: sizeBytes } });
  const attributes = { ...record.config.config?.Labels, name: familiarRepository(name) };
  events.publish({ namespace, type: "image", action: "push", id: formatFamiliar(name), attributes });
}

/** The layers' blobs as they are pushed, one after the other: compressing keeps a processor busy by itself. */
async function compressLayers(context: DistributionContext, one: One, lease: Lease): Promise<BlobRow[]> {
  const { image, compressor, request, emit } = one;
  const stored = context.store.records.layers(image.record);
  for (const { blob } of stored) lease.add(blob.digest);
  const layers: BlobRow[] = [];
  for (const { blob } of stored) {
    if (blob.compression === "none") emit({ status: "Preparing", id: shortId(blob.diff_id), progressDetail: {} });
    layers.push(await compressor.compress(blob, { lease, signal: request.signal }));
  }
  return layers;
}

/** Docker tells of layers by what they are unpacked. */
function pushProgress(progress: PushProgress, diffIds: ReadonlyMap<Digest, Digest>): Parameters<Emit>[0] {
  const id = shortId(diffIds.get(progress.digest) ?? progress.digest);
  switch (progress.status) {
    case "Pushing":
      return { status: "Pushing", id, progressDetail: { current: progress.current, total: progress.total } };
    case "Mounted from":
      return { status: `Mounted from ${progress.repository}`, id, progressDetail: {} };
    case "Retrying":
      return { status: `Retrying (attempt ${progress.attempt})`, id, progressDetail: {} };
    case "Preparing":
    case "Waiting":
    case "Pushed":
    case "Layer already exists":
      return { status: progress.status, id, progressDetail: {} };
  }
}

async function* bytesOf(bytes: Buffer, offset: number): AsyncGenerator<Buffer> {
  yield bytes.subarray(offset);
}
