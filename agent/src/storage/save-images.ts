import { FlotillaError } from "@flotilla/core";
import {
  familiarRepository,
  formatCanonical,
  formatFamiliar,
  hexOf,
  layerMediaType,
  MEDIA_TYPE,
  parseReference,
  repositoryOf,
  type Digest,
  type Reference,
} from "@flotilla/image";
import { paddingOf } from "../archive/tar/block.ts";
import { END_OF_ARCHIVE, formatHeader, type NewEntry } from "../archive/tar/writer.ts";
import type { StorageContext } from "./context.ts";
import { hashText, type ImageLayer, type ImageRecord } from "./image-records.ts";

/** One image to save and the tags it keeps in the archive. */
type SavedImage = { record: ImageRecord; tags: Reference[] };

type Manifest = { text: string; digest: Digest };

/** With everything that the archive says of it, as it was when the save was asked for. */
type HeldImage = SavedImage & { configText: string; layers: readonly ImageLayer[]; manifest: Manifest };

const BLOB_DIRECTORY = "blobs/sha256";

/**
 * `docker save`: an archive that is both Docker's (`manifest.json`) and an OCI image layout (`index.json`), as Docker 25
 * and later write it. A repository without a tag stands for all its tags; an id saves the image without names.
 * Names are resolved now; the layers are held while the returned stream is read.
 * @throws FlotillaError `not_found`.
 */
export function saveImages(context: StorageContext, request: { namespace: string; references: readonly string[] }): AsyncGenerator<Buffer> {
  const images = selectImages(context, request).map((image): HeldImage => {
    const configText = context.records.configText(image.record);
    const layers = context.records.layers(image.record);
    return { ...image, configText, layers, manifest: describe(image.record, { configText, layers: layers.map((layer) => layer.blob) }) };
  });
  return writeArchive(context, images);
}

async function* writeArchive(context: StorageContext, images: readonly HeldImage[]): AsyncGenerator<Buffer> {
  // Held from the first read on, not from before: a stream that nobody ever reads must hold nothing.
  const lease = context.leases.open();
  try {
    for (const layer of images.flatMap((image) => image.layers)) {
      if (context.collector.findBlob(layer.blob.digest) === undefined)
        throw new FlotillaError("not_found", "an image was removed before it was saved");
      lease.add(layer.blob.digest);
    }
    for (const { record, tags } of images) context.publish("save", record, tags[0] === undefined ? record.id : formatFamiliar(tags[0]));
    yield directory("blobs/");
    yield directory(`${BLOB_DIRECTORY}/`);
    const blobs = new Map(images.flatMap((image) => image.layers).map((layer) => [layer.blob.digest, layer.blob]));
    for (const blob of blobs.values()) yield* storedFile(context, blob);
    for (const { record, configText, manifest } of images) {
      yield* textFile(`${BLOB_DIRECTORY}/${hexOf(record.id)}`, configText);
      yield* textFile(`${BLOB_DIRECTORY}/${hexOf(manifest.digest)}`, manifest.text);
    }
    yield* textFile("index.json", JSON.stringify(indexOf(images)));
    yield* textFile("manifest.json", JSON.stringify(images.map(dockerEntry)));
    yield* textFile("oci-layout", '{"imageLayoutVersion":"1.0.0"}');
    yield* textFile("repositories", JSON.stringify(repositoriesOf(images)));
    yield END_OF_ARCHIVE;
  } finally {
    lease.release();
    context.collector.collect();
  }
}

function selectImages(context: StorageContext, request: { namespace: string; references: readonly string[] }): SavedImage[] {
  const { records } = context;
  const selected = new Map<Digest, SavedImage>();
  const select = (record: ImageRecord, tag: Reference | undefined): void => {
    const image = selected.get(record.id) ?? { record, tags: [] };
    const isNew = tag !== undefined && !image.tags.some((known) => formatCanonical(known) === formatCanonical(tag));
    selected.set(record.id, isNew ? { record, tags: [...image.tags, tag] } : image);
  };
  for (const text of request.references) {
    const tagged = tagsOfRepository(context, request.namespace, text);
    for (const { record, tag } of tagged) select(record, tag);
    if (tagged.length > 0) continue;
    const { record, name } = records.resolve(request.namespace, text);
    select(record, name?.digest === undefined ? name : undefined);
  }
  if (selected.size === 0) throw new FlotillaError("invalid", "no image to save");
  return [...selected.values()];
}

/** All tags of a repository named without one. */
function tagsOfRepository(context: StorageContext, namespace: string, text: string): { record: ImageRecord; tag: Reference }[] {
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(text) || text.startsWith("sha256:")) return [];
  const wanted = parseReference(text);
  if (wanted.tag !== undefined || wanted.digest !== undefined) return [];
  return context.records.list(namespace).flatMap((record) =>
    context.records
      .names(record)
      .map((name) => name.reference)
      .filter((tag) => tag.digest === undefined && repositoryOf(tag) === repositoryOf(wanted))
      .map((tag) => ({ record, tag })),
  );
}

type BlobInfo = { digest: Digest; size_bytes: number; compression: "none" | "gzip" | "zstd" };

function describe(record: ImageRecord, image: { configText: string; layers: readonly BlobInfo[] }): Manifest {
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: { mediaType: MEDIA_TYPE.ociConfig, digest: record.id, size: Buffer.byteLength(image.configText) },
    layers: image.layers.map((layer) => ({ mediaType: layerMediaType(layer.compression), digest: layer.digest, size: layer.size_bytes })),
  });
  return { text, digest: hashText(text) };
}

function indexOf(images: readonly HeldImage[]): unknown {
  const entries = images.flatMap(({ record, tags, manifest }) => {
    const platform = { architecture: record.config.architecture, os: record.config.os };
    const descriptor = { mediaType: MEDIA_TYPE.ociManifest, digest: manifest.digest, size: Buffer.byteLength(manifest.text), platform };
    if (tags.length === 0) return [descriptor];
    return tags.map((tag) => ({
      ...descriptor,
      annotations: { "io.containerd.image.name": formatCanonical(tag), "org.opencontainers.image.ref.name": tag.tag ?? "latest" },
    }));
  });
  return { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests: entries };
}

function dockerEntry(image: HeldImage): unknown {
  return {
    Config: `${BLOB_DIRECTORY}/${hexOf(image.record.id)}`,
    RepoTags: image.tags.length === 0 ? null : image.tags.map(formatFamiliar),
    Layers: image.layers.map((layer) => `${BLOB_DIRECTORY}/${hexOf(layer.blob.digest)}`),
  };
}

/** The file of the oldest format, which Docker still writes. */
function repositoriesOf(images: readonly SavedImage[]): Record<string, Record<string, string>> {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { record, tags } of images) {
    for (const tag of tags) {
      const repository = familiarRepository(tag);
      repositories[repository] = { ...repositories[repository], [tag.tag ?? "latest"]: hexOf(record.id) };
    }
  }
  return repositories;
}

async function* storedFile(context: StorageContext, blob: BlobInfo): AsyncGenerator<Buffer> {
  yield formatHeader({ ...FILE, name: `${BLOB_DIRECTORY}/${hexOf(blob.digest)}`, size: blob.size_bytes });
  for await (const chunk of context.blobs.read(blob.digest)) yield chunk as Buffer;
  yield Buffer.alloc(paddingOf(blob.size_bytes));
}

function* textFile(name: string, text: string): Generator<Buffer> {
  const content = Buffer.from(text, "utf8");
  yield formatHeader({ ...FILE, name, size: content.length });
  yield Buffer.concat([content, Buffer.alloc(paddingOf(content.length))]);
}

/** Times are zero, so that saving the same image twice gives the same bytes. */
const FILE: NewEntry = {
  type: "file",
  name: "",
  linkName: "",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeSeconds: 0,
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map(),
};

function directory(name: string): Buffer {
  return formatHeader({ ...FILE, type: "directory", name, mode: 0o755 });
}
