import { FlotillaError } from "@flotilla/core";
import {
  digestSchema,
  formatFamiliar,
  indexSchema,
  isDigest,
  isIndexType,
  manifestSchema,
  MEDIA_TYPE,
  type Digest,
  type ImageIndex,
  type Manifest,
  type Platform,
  type Reference,
} from "@flotilla/image";
import { readBody, discardBody } from "./body.ts";
import { digestOf } from "./digest-of.ts";
import type { HttpResponse } from "./http-client.ts";
import { pullError } from "./registry-error.ts";
import type { Repository } from "./repository.ts";
import { selectPlatform } from "./select-platform.ts";

/** A manifest as it came, bytes and all: its digest is that of the bytes. */
export type FetchedManifest = { digest: Digest; mediaType: string; bytes: Buffer } & (
  | { kind: "manifest"; manifest: Manifest }
  | { kind: "index"; index: ImageIndex }
);

/** What a reference leads to on a platform. */
export type ResolvedImage = {
  /** What the reference itself names: an index's digest when there is one. This is what `Digest:` tells. */
  root: FetchedManifest;
  image: Extract<FetchedManifest, { kind: "manifest" }>;
};

/** The distribution specification lets registries refuse more; nothing real comes near. */
const MAX_MANIFEST_BYTES = 4 * 2 ** 20;
const MANIFEST_TYPES = [MEDIA_TYPE.ociManifest, MEDIA_TYPE.ociIndex, MEDIA_TYPE.dockerManifest, MEDIA_TYPE.dockerIndex] as const;

/**
 * Fetches and checks a manifest or index.
 * @param reference a tag or a digest; what a digest leads to is verified, and so is what the registry says of a tag.
 * @throws FlotillaError in Docker's words.
 */
export async function fetchManifest(repository: Repository, reference: string, signal: AbortSignal): Promise<FetchedManifest> {
  const headers = { accept: MANIFEST_TYPES.join(", ") };
  try {
    // Through `attempt` as a whole: a mirror that sends something wrong is left for the registry.
    return await repository.attempt(async (session) => {
      const path = repository.pathOf(session, `manifests/${reference}`);
      const response = await session.send({ method: "GET", path, headers, accept: [200], scopes: [repository.scope], signal });
      const bytes = await readBody(response, { maxBytes: MAX_MANIFEST_BYTES, stallTimeoutMs: session.limits.stallTimeoutMs });
      return parseManifest(bytes, { response, expected: isDigest(reference) ? reference : undefined });
    });
  } catch (error) {
    throw pullError(error, namesOf(repository, reference));
  }
}

/** Digest, size and type of what a tag or digest names, without fetching it; undefined when there is nothing. */
export async function findManifest(
  repository: Repository,
  reference: string,
  signal: AbortSignal,
): Promise<{ digest: Digest; mediaType: string; sizeBytes: number } | undefined> {
  const headers = { accept: MANIFEST_TYPES.join(", ") };
  const response = await repository.send({ method: "HEAD", path: `manifests/${reference}`, headers, accept: [200, 404], signal });
  await discardBody(response);
  if (response.status === 404) return undefined;
  const digest = digestSchema.safeParse(response.headers["docker-content-digest"]);
  const sizeBytes = Number(response.headers["content-length"]);
  if (digest.success && Number.isInteger(sizeBytes)) return { digest: digest.data, mediaType: typeOf(response), sizeBytes };
  // Both headers are optional in a HEAD: then the manifest itself has to tell.
  const manifest = await fetchManifest(repository, reference, signal);
  return { digest: manifest.digest, mediaType: manifest.mediaType, sizeBytes: manifest.bytes.length };
}

/** Fetches what a reference names and, through an index, the image of a platform. @throws FlotillaError in Docker's words. */
export async function resolveImage(
  repository: Repository,
  query: { reference: Reference; platform: Platform; signal: AbortSignal },
): Promise<ResolvedImage> {
  const { reference, platform, signal } = query;
  const root = await fetchManifest(repository, reference.digest ?? reference.tag ?? "latest", signal);
  if (root.kind === "manifest") return { root, image: root };
  const chosen = selectPlatform(root.index.manifests, platform);
  if (chosen === undefined) {
    const words = [platform.os, platform.architecture, platform.variant ?? ""].filter((part) => part !== "").join("/");
    throw new FlotillaError("not_found", `no matching manifest for ${words} in the manifest list entries`);
  }
  const image = await fetchManifest(repository, chosen.digest, signal);
  if (image.kind !== "manifest")
    throw new FlotillaError("invalid", `${formatFamiliar(reference)}: an index inside an index is not an image`);
  if (image.bytes.length !== chosen.size)
    throw new FlotillaError("invalid", `${formatFamiliar(reference)}: manifest ${chosen.digest} has another size than its index says`);
  return { root, image };
}

/**
 * Stores a manifest under a tag or its digest. Its blobs must be there.
 * @throws FlotillaError `internal` when the registry understood it as something else.
 */
export async function putManifest(
  repository: Repository,
  manifest: { reference: string; mediaType: string; bytes: Uint8Array },
  signal: AbortSignal,
): Promise<Digest> {
  const digest = digestOf(manifest.bytes);
  const headers = { "content-type": manifest.mediaType, "content-length": String(manifest.bytes.length) };
  const body = (): Uint8Array => manifest.bytes;
  const response = await repository.send({ method: "PUT", path: `manifests/${manifest.reference}`, headers, body, accept: [201], signal });
  await discardBody(response);
  const told = response.headers["docker-content-digest"];
  if (told !== undefined && told !== digest)
    throw new FlotillaError("internal", `registry stored the manifest as ${String(told).slice(0, 80)} instead of ${digest}`);
  return digest;
}

function parseManifest(bytes: Buffer, { response, expected }: { response: HttpResponse; expected: Digest | undefined }): FetchedManifest {
  const digest = digestOf(bytes);
  const told = response.headers["docker-content-digest"];
  const wanted = expected ?? told;
  if (wanted !== undefined && wanted !== digest) {
    throw new FlotillaError("invalid", `manifest verification failed for digest ${String(wanted).slice(0, 80)}`);
  }
  const json = parseJson(bytes);
  const mediaType = typeOf(response, json);
  if (isIndexType(mediaType)) {
    const parsed = indexSchema.safeParse(json);
    if (parsed.success) return { kind: "index", index: parsed.data, digest, mediaType, bytes };
  } else if (mediaType === MEDIA_TYPE.ociManifest || mediaType === MEDIA_TYPE.dockerManifest) {
    const parsed = manifestSchema.safeParse(json);
    if (parsed.success) return { kind: "manifest", manifest: parsed.data, digest, mediaType, bytes };
  } else throw new FlotillaError("invalid", `unsupported manifest media type: ${mediaType.slice(0, 120)}`);
  throw new FlotillaError("invalid", `manifest ${digest} is malformed`);
}

/** By what the document says of itself, which its digest covers; else by the header, which anybody on the way can change. */
function typeOf(response: HttpResponse, json?: unknown): string {
  const own = typeof json === "object" && json !== null && "mediaType" in json ? json.mediaType : undefined;
  if (typeof own === "string") return own;
  const header = response.headers["content-type"]?.split(";", 1)[0]?.trim() ?? "";
  if (MANIFEST_TYPES.some((type) => type === header) || typeof json !== "object" || json === null) return header;
  return "manifests" in json ? MEDIA_TYPE.ociIndex : "layers" in json ? MEDIA_TYPE.ociManifest : header;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new FlotillaError("invalid", "manifest is not JSON", { cause: error });
  }
}

function namesOf(repository: Repository, reference: string): { name: string; full: string; isAnonymous: boolean } {
  const { name } = repository;
  return { name, full: `${name}${isDigest(reference) ? "@" : ":"}${reference}`, isAnonymous: repository.session.isAnonymous };
}
