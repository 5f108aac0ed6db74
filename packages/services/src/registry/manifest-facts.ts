import { digestSchema, isIndexType, MEDIA_TYPE } from "@flotilla/image";
import { z } from "zod";
import { registryError } from "./registry-error.ts";

/** Types that a registry may lack the bytes of: they are fetched elsewhere, by the client and never by us. */
const FOREIGN = /^application\/vnd\.(?:docker\.image\.rootfs\.foreign\.|oci\.image\.layer\.nondistributable\.)/;
const MANIFEST_TYPES: ReadonlySet<string> = new Set([
  MEDIA_TYPE.ociManifest,
  MEDIA_TYPE.ociIndex,
  MEDIA_TYPE.dockerManifest,
  MEDIA_TYPE.dockerIndex,
]);
const MAX_DESCRIPTORS = 5_000;

const annotations = z.record(z.string(), z.string()).nullish();
const platform = z.looseObject({ architecture: z.string().max(100), os: z.string().max(100), variant: z.string().max(100).nullish() });
const descriptor = z.looseObject({
  mediaType: z.string().min(1).max(255),
  digest: digestSchema,
  size: z.int().nonnegative(),
  platform: platform.nullish(),
});
const common = {
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().max(255).nullish(),
  subject: descriptor.nullish(),
  annotations,
};
const imageManifest = z.looseObject({ ...common, config: descriptor, layers: z.array(descriptor).max(MAX_DESCRIPTORS) });
const imageIndex = z.looseObject({ ...common, manifests: z.array(descriptor).max(MAX_DESCRIPTORS) });

export type NamedContent = { digest: string; size: number; mediaType: string; platform: string | null };

/** What the registry needs to know of a manifest. */
export type ManifestFacts = {
  mediaType: string;
  isIndex: boolean;
  artifactType: string | null;
  subject: string | null;
  annotations: Record<string, string>;
  config: NamedContent | null;
  layers: NamedContent[];
  /** Config and layers that must be here, each digest once. */
  blobs: NamedContent[];
  /** Manifests that an index names. */
  manifests: NamedContent[];
};

/**
 * Reads a manifest or index, OCI or Docker schema 2. Strict where it matters for what others will pull: the type that is
 * said, in the header and inside, is the type it is (CVE-2021-41190: one document that is read in two ways).
 *
 * @throws MANIFEST_INVALID
 */
export function readManifestFacts(content: Uint8Array, contentType: string | undefined): ManifestFacts {
  const json = parseJson(content);
  const inside = z.looseObject({ mediaType: z.string().optional() }).safeParse(json).data?.mediaType;
  const said = contentType?.split(";", 1)[0]?.trim();
  const mediaType = said === undefined || said === "" ? inside : said;
  if (mediaType === undefined || !MANIFEST_TYPES.has(mediaType)) {
    throw registryError("MANIFEST_INVALID", `manifests of type ${JSON.stringify(mediaType ?? "")} are not supported`, {
      mediaType: mediaType ?? null,
    });
  }
  if (inside !== undefined && inside !== mediaType)
    throw registryError("MANIFEST_INVALID", `the Content-Type says ${mediaType}, the manifest ${inside}`);
  return isIndexType(mediaType) ? readIndex(json, mediaType) : readImage(json, mediaType);
}

function readImage(json: unknown, mediaType: string): ManifestFacts {
  const parsed = parse(imageManifest, json);
  if ("manifests" in parsed) throw registryError("MANIFEST_INVALID", "an image manifest must not have manifests");
  const config = toContent(parsed.config);
  const layers = parsed.layers.map(toContent);
  const required = [config, ...layers].filter((part) => !FOREIGN.test(part.mediaType));
  return {
    ...factsOf(parsed, mediaType),
    isIndex: false,
    artifactType: parsed.artifactType ?? parsed.config.mediaType,
    config,
    layers,
    blobs: [...new Map(required.map((part) => [part.digest, part])).values()],
    manifests: [],
  };
}

function readIndex(json: unknown, mediaType: string): ManifestFacts {
  const parsed = parse(imageIndex, json);
  if ("config" in parsed || "layers" in parsed) throw registryError("MANIFEST_INVALID", "an index must not have config or layers");
  const manifests = [...new Map(parsed.manifests.map((part) => [part.digest, toContent(part)])).values()];
  return {
    ...factsOf(parsed, mediaType),
    isIndex: true,
    artifactType: parsed.artifactType ?? null,
    config: null,
    layers: [],
    blobs: [],
    manifests,
  };
}

type Common = { subject?: { digest: string } | null | undefined; annotations?: Record<string, string> | null | undefined };

function factsOf(parsed: Common, mediaType: string): Pick<ManifestFacts, "mediaType" | "subject" | "annotations"> {
  return { mediaType, subject: parsed.subject?.digest ?? null, annotations: parsed.annotations ?? {} };
}

function toContent(part: z.output<typeof descriptor>): NamedContent {
  const { digest, size, mediaType } = part;
  return {
    digest,
    size,
    mediaType,
    platform: part.platform === null || part.platform === undefined ? null : formatPlatform(part.platform),
  };
}

/** `linux/arm64/v8`, as Docker writes it. */
export function formatPlatform(of: { os: string; architecture: string; variant?: string | null | undefined }): string {
  return [of.os, of.architecture, of.variant].filter((part) => part !== null && part !== undefined && part !== "").join("/");
}

function parse<T>(schema: z.ZodType<T>, json: unknown): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw registryError("MANIFEST_INVALID", `manifest invalid: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not valid"}`);
}

function parseJson(content: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch {
    throw registryError("MANIFEST_INVALID", "manifest invalid: it is not JSON");
  }
}
