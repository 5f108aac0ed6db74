import { createHash } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import {
  digestOfHex,
  formatCanonical,
  formatFamiliar,
  imageConfigSchema,
  isHex64,
  parseReference,
  withDefaultTag,
  type Digest,
  type ImageConfig,
  type Reference,
} from "@flotilla/image";
import type { Database } from "../store/database.ts";
import { blobRowSchema, imageRowSchema, imageUseRowSchema, nameRowSchema, type BlobRow, type ImageRow, type NameRow } from "./schema.ts";

/** One image of a namespace with its configuration parsed. */
export type ImageRecord = { namespace: string; id: Digest; config: ImageConfig; createdMs: number };

export type ImageLayer = { chainId: Digest; blob: BlobRow };

export type NewImage = {
  namespace: string;
  /** The exact bytes of the configuration: their hash is the image's id. */
  configText: string;
  /** Lowest first; layers and blobs exist. */
  layers: readonly { chainId: Digest; blobDigest: Digest }[];
};

/** A name that leads to an image, and how. */
export type Resolution = {
  record: ImageRecord;
  /** The tag or digest name that matched; undefined when it was an id. */ name: Reference | undefined;
};

const USE_STEP_MS = 1000;
const ID_PREFIX = /^(?:sha256:)?([0-9a-f]{1,64})$/;

/** Rows of images and names. Every question is asked inside one namespace. */
export class ImageRecords {
  readonly #db: Database;
  readonly #nowMs: () => number;
  /** Parsed configurations: image ids are hashes of them, so that an entry never goes stale. */
  readonly #configs = new Map<string, ImageConfig>();

  constructor(db: Database, nowMs: () => number) {
    this.#db = db;
    this.#nowMs = nowMs;
  }

  find(namespace: string, id: Digest): ImageRecord | undefined {
    const row = this.#db.get("SELECT * FROM storage_images WHERE namespace = ? AND id = ?", namespace, id);
    return row === undefined ? undefined : this.#record(imageRowSchema.parse(row));
  }

  list(namespace: string): ImageRecord[] {
    return this.#db
      .all("SELECT * FROM storage_images WHERE namespace = ?", namespace)
      .map((row) => this.#record(imageRowSchema.parse(row)));
  }

  /** The exact text of a configuration, for save. */
  configText(record: ImageRecord): string {
    return imageRowSchema.parse(this.#db.get("SELECT * FROM storage_images WHERE namespace = ? AND id = ?", record.namespace, record.id))
      .config;
  }

  layers(record: ImageRecord): ImageLayer[] {
    const rows = this.#db.all(
      `SELECT l.chain_id, b.digest, b.diff_id, b.compression, b.size_bytes FROM storage_image_layers l
       JOIN storage_blobs b ON b.digest = l.blob_digest WHERE l.namespace = ? AND l.image_id = ? ORDER BY l.position`,
      record.namespace,
      record.id,
    );
    return rows.map((row) => ({ chainId: digestOf(row["chain_id"]), blob: blobRowSchema.parse(row) }));
  }

  /** A layer that an image of the namespace has, with the blob it came from. */
  findLayer(namespace: string, chainId: Digest): ImageLayer | undefined {
    const row = this.#db.get(
      `SELECT l.chain_id, b.digest, b.diff_id, b.compression, b.size_bytes FROM storage_image_layers l
       JOIN storage_blobs b ON b.digest = l.blob_digest WHERE l.namespace = ? AND l.chain_id = ? LIMIT 1`,
      namespace,
      chainId,
    );
    return row === undefined ? undefined : { chainId, blob: blobRowSchema.parse(row) };
  }

  /** Every image of that layer blob has another one from now on, of the same content in another compression. */
  replaceBlob(before: Digest, after: Digest): void {
    this.#db.run("UPDATE storage_image_layers SET blob_digest = ? WHERE blob_digest = ?", after, before);
  }

  /** Remembers that a repository has a blob. */
  addSource(namespace: string, digest: Digest, repository: Pick<Reference, "domain" | "path">): void {
    this.#db.run(
      "INSERT INTO storage_blob_sources (namespace, digest, domain, path) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
      namespace,
      digest,
      repository.domain,
      repository.path,
    );
  }

  /** Paths of the repositories of a registry in which the namespace has seen a blob. */
  sources(namespace: string, digest: Digest, domain: string): string[] {
    return this.#db
      .all(
        "SELECT path FROM storage_blob_sources WHERE namespace = ? AND digest = ? AND domain = ? ORDER BY path",
        namespace,
        digest,
        domain,
      )
      .map((row) => String(row["path"]));
  }

  /**
   * Top layer of an image of any namespace (the caller resolved the name in one), null for an image without layers.
   * @throws FlotillaError `not_found`.
   */
  topChain(imageId: string): Digest | null {
    const row = this.#db.get(
      `SELECT i.id, (SELECT l.chain_id FROM storage_image_layers l WHERE l.namespace = i.namespace AND l.image_id = i.id ORDER BY l.position DESC LIMIT 1) AS top
       FROM storage_images i WHERE i.id = ? LIMIT 1`,
      imageId,
    );
    if (row === undefined) throw noSuchImage(imageId);
    return row["top"] === null ? null : digestOf(row["top"]);
  }

  /** Makes an image known to a namespace, or finds it there. */
  add(image: NewImage): ImageRecord {
    const id = hashText(image.configText);
    return this.#db.transaction(() => {
      const existing = this.find(image.namespace, id);
      if (existing !== undefined) return existing;
      this.#db.run(
        "INSERT INTO storage_images (namespace, id, config, created_ms, last_used_ms) VALUES (?, ?, ?, ?, 0)",
        image.namespace,
        id,
        image.configText,
        this.#nowMs(),
      );
      for (const [position, layer] of image.layers.entries()) {
        this.#db.run(
          "INSERT INTO storage_image_layers (namespace, image_id, position, chain_id, blob_digest) VALUES (?, ?, ?, ?, ?)",
          image.namespace,
          id,
          position,
          layer.chainId,
          layer.blobDigest,
        );
      }
      return this.#record({ namespace: image.namespace, id, config: image.configText, created_ms: this.#nowMs() });
    });
  }

  /** Something was made of an image, or started. What happens within a second is written down once. */
  markUsed(namespace: string, id: string): void {
    const now = this.#nowMs();
    this.#db.run(
      "UPDATE storage_images SET last_used_ms = ? WHERE namespace = ? AND id = ? AND (last_used_ms IS NULL OR last_used_ms <= ?)",
      now,
      namespace,
      id,
      now - USE_STEP_MS,
    );
  }

  /** When each image of a namespace was last used: null when that is not known, 0 for never. */
  listUse(namespace: string): { id: Digest; lastUsedMs: number | null }[] {
    return this.#db
      .all("SELECT id, last_used_ms FROM storage_images WHERE namespace = ? ORDER BY id", namespace)
      .map((row) => imageUseRowSchema.parse(row))
      .map((row) => ({ id: row.id, lastUsedMs: row.last_used_ms }));
  }

  /** Deletes the image with its names. Layers and blobs are left to the collector. */
  remove(record: ImageRecord): void {
    this.#db.run("DELETE FROM storage_images WHERE namespace = ? AND id = ?", record.namespace, record.id);
  }

  /** Points a name at an image; returns the image it pointed at before, if another. */
  setName(record: ImageRecord, name: Reference): Digest | undefined {
    const text = formatCanonical(name);
    return this.#db.transaction(() => {
      const before = this.findName(record.namespace, text);
      this.#db.run(
        `INSERT INTO storage_names (namespace, name, image_id, tagged_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT (namespace, name) DO UPDATE SET image_id = excluded.image_id, tagged_ms = excluded.tagged_ms`,
        record.namespace,
        text,
        record.id,
        this.#nowMs(),
      );
      return before === undefined || before.image_id === record.id ? undefined : before.image_id;
    });
  }

  removeName(namespace: string, name: Reference): void {
    this.#db.run("DELETE FROM storage_names WHERE namespace = ? AND name = ?", namespace, formatCanonical(name));
  }

  findName(namespace: string, canonical: string): NameRow | undefined {
    const row = this.#db.get("SELECT * FROM storage_names WHERE namespace = ? AND name = ?", namespace, canonical);
    return row === undefined ? undefined : nameRowSchema.parse(row);
  }

  /** Names of all namespaces, the newest first: what this host need not pull. */
  newestNames(limit: number): { namespace: string; name: string }[] {
    return this.#db
      .all("SELECT * FROM storage_names ORDER BY tagged_ms DESC, name LIMIT ?", limit)
      .map((row) => nameRowSchema.parse(row))
      .map(({ namespace, name }) => ({ namespace, name }));
  }

  /** Names of an image, sorted. */
  names(record: Pick<ImageRecord, "namespace" | "id">): { reference: Reference; taggedMs: number }[] {
    const rows = this.#db.all(
      "SELECT * FROM storage_names WHERE namespace = ? AND image_id = ? ORDER BY name",
      record.namespace,
      record.id,
    );
    return rows.map((row) => nameRowSchema.parse(row)).map((row) => ({ reference: parseReference(row.name), taggedMs: row.tagged_ms }));
  }

  /**
   * A name, id or unambiguous id prefix, in Docker's order: full id, name, prefix.
   * @throws FlotillaError `not_found`, or `invalid` for a malformed reference.
   */
  resolve(namespace: string, text: string): Resolution {
    const hex = ID_PREFIX.exec(text)?.[1];
    if (hex !== undefined && (isHex64(hex) || text.startsWith("sha256:")))
      return { record: this.#byPrefix(namespace, hex, text), name: undefined };
    const reference = withDefaultTag(parseReference(text));
    const row = this.findName(namespace, formatCanonical(reference)) ?? this.#byDigest(namespace, reference);
    const named = row === undefined ? undefined : this.find(namespace, row.image_id);
    if (row !== undefined && named !== undefined) return { record: named, name: parseReference(row.name) };
    const missing = formatFamiliar(reference);
    if (hex === undefined) throw noSuchImage(missing);
    return { record: this.#byPrefix(namespace, hex, missing), name: undefined };
  }

  #byPrefix(namespace: string, hex: string, missing: string): ImageRecord {
    const rows = this.#db.all(
      "SELECT * FROM storage_images WHERE namespace = ? AND id >= ? AND id < ? LIMIT 2",
      namespace,
      `sha256:${hex}`,
      `sha256:${hex}g`,
    );
    const [row, second] = rows;
    if (row === undefined) throw noSuchImage(missing);
    if (second !== undefined) throw new FlotillaError("invalid", `multiple IDs found with provided prefix: ${hex}`);
    return this.#record(imageRowSchema.parse(row));
  }

  /** `name@sha256:…`: the tag beside a digest says nothing. */
  #byDigest(namespace: string, reference: Reference): NameRow | undefined {
    if (reference.digest === undefined) return undefined;
    return this.findName(namespace, formatCanonical({ ...reference, tag: undefined }));
  }

  #record(row: ImageRow): ImageRecord {
    let config = this.#configs.get(row.id);
    if (config === undefined) {
      config = imageConfigSchema.parse(JSON.parse(row.config));
      this.#configs.set(row.id, config);
    }
    return { namespace: row.namespace, id: row.id, config, createdMs: row.created_ms };
  }
}

export function hashText(text: string): Digest {
  return digestOfHex(createHash("sha256").update(text, "utf8").digest("hex"));
}

function noSuchImage(name: string): FlotillaError {
  return new FlotillaError("not_found", `No such image: ${name}`);
}

function digestOf(value: unknown): Digest {
  return blobRowSchema.shape.digest.parse(value);
}
