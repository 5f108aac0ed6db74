import { z } from "zod";
import { digestSchema } from "./digest.ts";
import { MEDIA_TYPE } from "./media-types.ts";

const annotationsSchema = z.record(z.string(), z.string()).nullish();

export const platformSchema = z.object({
  architecture: z.string(),
  os: z.string(),
  variant: z.string().nullish(),
});
export type Platform = z.output<typeof platformSchema>;

/** A content descriptor of the OCI image specification; `size` is in bytes. */
export const descriptorSchema = z.object({
  mediaType: z.string(),
  digest: digestSchema,
  size: z.number().int().nonnegative(),
  annotations: annotationsSchema,
  platform: platformSchema.nullish(),
});
export type Descriptor = z.output<typeof descriptorSchema>;

/** Image manifest, OCI or Docker schema 2: both have these fields. */
export const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.enum([MEDIA_TYPE.ociManifest, MEDIA_TYPE.dockerManifest]).optional(),
  config: descriptorSchema,
  layers: z.array(descriptorSchema),
  annotations: annotationsSchema,
});
export type Manifest = z.output<typeof manifestSchema>;

/** Image index (OCI) or manifest list (Docker). */
export const indexSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.enum([MEDIA_TYPE.ociIndex, MEDIA_TYPE.dockerIndex]).optional(),
  manifests: z.array(descriptorSchema),
  annotations: annotationsSchema,
});
export type ImageIndex = z.output<typeof indexSchema>;

/** `manifest.json` of a Docker archive: paths are those inside the archive. */
export const dockerArchiveManifestSchema = z.array(
  z.object({
    Config: z.string(),
    RepoTags: z
      .array(z.string())
      .nullish()
      .transform((tags) => tags ?? []),
    Layers: z
      .array(z.string())
      .nullish()
      .transform((layers) => layers ?? []),
  }),
);
export type DockerArchiveManifest = z.output<typeof dockerArchiveManifestSchema>;

/** Whether a descriptor names an index rather than one image. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPE.ociIndex || mediaType === MEDIA_TYPE.dockerIndex;
}
