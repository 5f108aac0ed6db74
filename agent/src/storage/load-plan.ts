import { FlotillaError } from "@flotilla/core";
import {
  dockerArchiveManifestSchema,
  findReference,
  imageConfigSchema,
  indexSchema,
  isIndexType,
  manifestSchema,
  parseReference,
  withDefaultTag,
  type Descriptor,
  type ImageConfig,
  type Reference,
} from "@flotilla/image";
import type { z } from "zod";
import { hashText } from "./image-records.ts";
import { MAX_LAYERS } from "./layers.ts";
import type { ArchivedFile, ImageArchive } from "./read-archive.ts";

/** One image of an archive, checked as far as its descriptions go. */
export type PlannedImage = { configText: string; config: ImageConfig; layers: ArchivedFile[]; names: Reference[] };

const NAME_ANNOTATION = "io.containerd.image.name";
const REF_ANNOTATION = "org.opencontainers.image.ref.name";
/** Indexes inside indexes: what exists nests once. */
const MAX_DEPTH = 4;

/**
 * What an archive holds: by `manifest.json` (Docker), else by `index.json` (OCI image layout).
 * @throws FlotillaError `invalid`.
 */
export async function planLoad(archive: ImageArchive, architecture: string): Promise<PlannedImage[]> {
  const dockerManifest = archive.find("manifest.json");
  if (dockerManifest !== undefined) return planDocker(archive, dockerManifest);
  const index = archive.find("index.json");
  if (index === undefined) throw new FlotillaError("invalid", "invalid archive: it holds neither manifest.json nor index.json");
  return planOci({ archive, architecture, images: [] }, index);
}

async function planDocker(archive: ImageArchive, file: ArchivedFile): Promise<PlannedImage[]> {
  const images: PlannedImage[] = [];
  for (const item of await readJson(archive, { file, name: "manifest.json", schema: dockerArchiveManifestSchema })) {
    const names = item.RepoTags.map((tag) => withDefaultTag(parseReference(tag)));
    images.push(
      await planImage(archive, {
        config: required(archive, item.Config),
        layers: item.Layers.map((path) => required(archive, path)),
        names,
      }),
    );
  }
  return images;
}

type OciWalk = { archive: ImageArchive; architecture: string; images: PlannedImage[] };

async function planOci(walk: OciWalk, index: ArchivedFile): Promise<PlannedImage[]> {
  const { manifests } = await readJson(walk.archive, { file: index, name: "index.json", schema: indexSchema });
  for (const descriptor of manifests) await planDescriptor(walk, { descriptor, name: nameOf(descriptor), depth: 0 });
  if (walk.images.length === 0) throw new FlotillaError("invalid", `invalid archive: it holds no image for linux/${walk.architecture}`);
  return walk.images;
}

async function planDescriptor(walk: OciWalk, at: { descriptor: Descriptor; name: Reference | undefined; depth: number }): Promise<void> {
  const { archive } = walk;
  const file = blobOf(archive, at.descriptor);
  if (isIndexType(at.descriptor.mediaType)) {
    if (at.depth >= MAX_DEPTH) throw new FlotillaError("invalid", "invalid archive: indexes are nested too deep");
    const { manifests } = await readJson(archive, { file, name: at.descriptor.digest, schema: indexSchema });
    const [match] = manifests.filter((candidate) => isFor(candidate, walk.architecture));
    if (match !== undefined) await planDescriptor(walk, { descriptor: match, name: at.name ?? nameOf(match), depth: at.depth + 1 });
    return;
  }
  if (!isFor(at.descriptor, walk.architecture)) return;
  const manifest = await readJson(archive, { file, name: at.descriptor.digest, schema: manifestSchema });
  const layers = manifest.layers.map((layer) => blobOf(archive, layer));
  walk.images.push(
    await planImage(archive, { config: blobOf(archive, manifest.config), layers, names: at.name === undefined ? [] : [at.name] }),
  );
}

async function planImage(
  archive: ImageArchive,
  from: { config: ArchivedFile; layers: ArchivedFile[]; names: Reference[] },
): Promise<PlannedImage> {
  const configText = await archive.text(from.config);
  // The id is the hash of the bytes: text that is not UTF-8 would change on its way.
  if (hashText(configText) !== from.config.digest) throw new FlotillaError("invalid", "invalid image configuration: it is not UTF-8");
  const config = parseJson(configText, { name: "image configuration", schema: imageConfigSchema });
  const expected = config.rootfs.diff_ids.length;
  if (expected !== from.layers.length) {
    throw new FlotillaError("invalid", `invalid manifest, layers length mismatch: expected ${expected}, got ${from.layers.length}`);
  }
  if (expected > MAX_LAYERS) throw new FlotillaError("invalid", "max depth exceeded");
  if (config.os !== "linux") throw new FlotillaError("invalid", `cannot load ${config.os} image on linux`);
  return { configText, config, layers: from.layers, names: from.names };
}

/** Without a platform a descriptor counts for every one; attestations say `unknown`. */
function isFor(descriptor: Descriptor, architecture: string): boolean {
  const { platform } = descriptor;
  return platform == null || (platform.os === "linux" && platform.architecture === architecture);
}

function nameOf(descriptor: Descriptor): Reference | undefined {
  const full = descriptor.annotations?.[NAME_ANNOTATION];
  if (full !== undefined) return withDefaultTag(parseReference(full));
  const short = descriptor.annotations?.[REF_ANNOTATION];
  // A bare `latest` is a tag without a repository; only a whole reference names an image.
  const reference = short === undefined || !/[:/]/.test(short) ? undefined : findReference(short);
  return reference === undefined ? undefined : withDefaultTag(reference);
}

function blobOf(archive: ImageArchive, descriptor: Descriptor): ArchivedFile {
  const file = required(archive, `blobs/${descriptor.digest.replace(":", "/")}`);
  if (file.digest !== descriptor.digest)
    throw new FlotillaError("invalid", `invalid archive: blob ${descriptor.digest} has the digest ${file.digest}`);
  return file;
}

function required(archive: ImageArchive, path: string): ArchivedFile {
  const file = archive.find(path);
  if (file === undefined) throw new FlotillaError("invalid", `invalid archive: ${path} is missing`);
  return file;
}

async function readJson<T extends z.ZodType>(
  archive: ImageArchive,
  from: { file: ArchivedFile; name: string; schema: T },
): Promise<z.output<T>> {
  return parseJson(await archive.text(from.file), from);
}

function parseJson<T extends z.ZodType>(text: string, to: { name: string; schema: T }): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FlotillaError("invalid", `invalid ${to.name}: it is not JSON`, { cause: error });
  }
  const parsed = to.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FlotillaError("invalid", `invalid ${to.name}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`, {
    cause: parsed.error,
  });
}
