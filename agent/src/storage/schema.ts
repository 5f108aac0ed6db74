import { digestSchema } from "@flotilla/image";
import { z } from "zod";
import type { Migration } from "../store/database.ts";

/**
 * Tables of the image store. Layers and blobs are shared by all namespaces and found only through an image; images and
 * names belong to one. Nothing counts references: a layer or blob is alive while a row of `storage_image_layers` or
 * `storage_rootfs` leads to it.
 */
export const STORAGE_MIGRATION: Migration = {
  module: "storage",
  steps: [
    `CREATE TABLE storage_layers (
       number INTEGER PRIMARY KEY AUTOINCREMENT,
       chain_id TEXT NOT NULL UNIQUE,
       parent TEXT,
       diff_id TEXT NOT NULL,
       depth INTEGER NOT NULL,
       size_bytes INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE storage_blobs (
       digest TEXT PRIMARY KEY,
       diff_id TEXT NOT NULL,
       compression TEXT NOT NULL,
       size_bytes INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE storage_images (
       namespace TEXT NOT NULL,
       id TEXT NOT NULL,
       config TEXT NOT NULL,
       created_ms INTEGER NOT NULL,
       PRIMARY KEY (namespace, id)
     ) STRICT;
     CREATE INDEX storage_images_id ON storage_images (id);
     CREATE TABLE storage_image_layers (
       namespace TEXT NOT NULL,
       image_id TEXT NOT NULL,
       position INTEGER NOT NULL,
       chain_id TEXT NOT NULL REFERENCES storage_layers (chain_id),
       blob_digest TEXT NOT NULL REFERENCES storage_blobs (digest),
       PRIMARY KEY (namespace, image_id, position),
       FOREIGN KEY (namespace, image_id) REFERENCES storage_images (namespace, id) ON DELETE CASCADE
     ) STRICT;
     CREATE INDEX storage_image_layers_chain ON storage_image_layers (chain_id);
     CREATE INDEX storage_image_layers_blob ON storage_image_layers (blob_digest);
     CREATE TABLE storage_names (
       namespace TEXT NOT NULL,
       name TEXT NOT NULL,
       image_id TEXT NOT NULL,
       tagged_ms INTEGER NOT NULL,
       PRIMARY KEY (namespace, name),
       FOREIGN KEY (namespace, image_id) REFERENCES storage_images (namespace, id) ON DELETE CASCADE
     ) STRICT;
     CREATE INDEX storage_names_image ON storage_names (namespace, image_id);
     CREATE TABLE storage_rootfs (
       container_id TEXT PRIMARY KEY,
       image_id TEXT NOT NULL,
       chain_id TEXT REFERENCES storage_layers (chain_id)
     ) STRICT;
     CREATE INDEX storage_rootfs_chain ON storage_rootfs (chain_id);`,
    // In which repositories of a registry a namespace has seen a blob: a push mounts it from there.
    `CREATE TABLE storage_blob_sources (
       namespace TEXT NOT NULL,
       digest TEXT NOT NULL REFERENCES storage_blobs (digest) ON DELETE CASCADE,
       domain TEXT NOT NULL,
       path TEXT NOT NULL,
       PRIMARY KEY (namespace, digest, domain, path)
     ) STRICT;
     CREATE INDEX storage_blob_sources_digest ON storage_blob_sources (digest);`,
    // What a layer changes of those below it, found out by walking it once.
    `CREATE TABLE storage_layer_changes (
       chain_id TEXT PRIMARY KEY REFERENCES storage_layers (chain_id) ON DELETE CASCADE,
       changes TEXT NOT NULL,
       used_ms INTEGER NOT NULL
     ) STRICT;`,
    // Null for images from before this was recorded, 0 for those that nothing used since they came.
    "ALTER TABLE storage_images ADD COLUMN last_used_ms INTEGER",
  ],
};

export const layerRowSchema = z.object({
  number: z.number().int(),
  chain_id: digestSchema,
  parent: digestSchema.nullable(),
  diff_id: digestSchema,
  depth: z.number().int(),
  size_bytes: z.number(),
});
export type LayerRow = z.output<typeof layerRowSchema>;

export const blobRowSchema = z.object({
  digest: digestSchema,
  diff_id: digestSchema,
  compression: z.enum(["none", "gzip", "zstd"]),
  size_bytes: z.number(),
});
export type BlobRow = z.output<typeof blobRowSchema>;

export const imageRowSchema = z.object({ namespace: z.string(), id: digestSchema, config: z.string(), created_ms: z.number() });
export type ImageRow = z.output<typeof imageRowSchema>;

export const imageUseRowSchema = z.object({ id: digestSchema, last_used_ms: z.number().nullable() });

export const nameRowSchema = z.object({ namespace: z.string(), name: z.string(), image_id: digestSchema, tagged_ms: z.number() });
export type NameRow = z.output<typeof nameRowSchema>;

export const rootfsRowSchema = z.object({ container_id: z.string(), image_id: z.string(), chain_id: digestSchema.nullable() });
export type RootfsRow = z.output<typeof rootfsRowSchema>;
