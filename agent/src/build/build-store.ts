import { hash } from "node:crypto";
import { digestSchema, type Digest } from "@flotilla/image";
import { z } from "zod";
import type { Database, Migration } from "../store/database.ts";

/**
 * What the builder remembers. A cache entry names the image that a step ended in, which keeps its layer; `build_images` are
 * the images that exist for the cache alone and that `docker images` does not show; `build_containers` are those of steps
 * under way, which the next start removes; `build_mounts` are the directories of `RUN --mount=type=cache`.
 */
const BUILD_MIGRATION: Migration = {
  module: "build",
  steps: [
    `CREATE TABLE build_cache (
       namespace TEXT NOT NULL,
       key TEXT NOT NULL,
       image_id TEXT NOT NULL,
       has_layer INTEGER NOT NULL,
       description TEXT NOT NULL,
       size_bytes INTEGER NOT NULL,
       created_ms INTEGER NOT NULL,
       used_ms INTEGER NOT NULL,
       use_count INTEGER NOT NULL,
       PRIMARY KEY (namespace, key)
     ) STRICT;
     CREATE INDEX build_cache_image ON build_cache (namespace, image_id);
     CREATE TABLE build_images (namespace TEXT NOT NULL, image_id TEXT NOT NULL, PRIMARY KEY (namespace, image_id)) STRICT;
     CREATE TABLE build_containers (name TEXT PRIMARY KEY, namespace TEXT NOT NULL) STRICT;
     CREATE TABLE build_mounts (
       directory TEXT PRIMARY KEY,
       namespace TEXT NOT NULL,
       id TEXT NOT NULL,
       created_ms INTEGER NOT NULL,
       used_ms INTEGER NOT NULL,
       use_count INTEGER NOT NULL
     ) STRICT;`,
  ],
};

const cacheRowSchema = z.object({
  namespace: z.string(),
  key: z.string(),
  image_id: digestSchema,
  has_layer: z.number(),
  description: z.string(),
  size_bytes: z.number(),
  created_ms: z.number(),
  used_ms: z.number(),
  use_count: z.number(),
});
export type CacheRow = z.output<typeof cacheRowSchema>;

const mountRowSchema = z.object({
  directory: z.string(),
  namespace: z.string(),
  id: z.string(),
  created_ms: z.number(),
  used_ms: z.number(),
  use_count: z.number(),
});
export type MountRow = z.output<typeof mountRowSchema>;

export type NewCacheRow = { namespace: string; key: string; imageId: Digest; hasLayer: boolean; description: string; sizeBytes: number };

/** The builder's tables. */
export class BuildStore {
  readonly #db: Database;
  readonly #nowMs: () => number;
  /** Images that builds under way stand on, by build. In memory only: a killed agent has no builds. */
  readonly #pins = new Map<object, Set<string>>();
  #putCount = 0;

  constructor(db: Database, nowMs: () => number) {
    this.#db = db;
    this.#nowMs = nowMs;
    db.migrate(BUILD_MIGRATION);
  }

  find(namespace: string, key: string): CacheRow | undefined {
    const row = this.#db.get("SELECT * FROM build_cache WHERE namespace = ? AND key = ?", namespace, key);
    return row === undefined ? undefined : cacheRowSchema.parse(row);
  }

  touch(namespace: string, key: string): void {
    this.#db.run(
      "UPDATE build_cache SET used_ms = ?, use_count = use_count + 1 WHERE namespace = ? AND key = ?",
      this.#nowMs(),
      namespace,
      key,
    );
  }

  /** Entries that were made since the start: the same number means that the cache has not grown. */
  get putCount(): number {
    return this.#putCount;
  }

  put(row: NewCacheRow): void {
    this.#putCount++;
    this.#db.run(
      `INSERT OR REPLACE INTO build_cache (namespace, key, image_id, has_layer, description, size_bytes, created_ms, used_ms, use_count)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`,
      row.namespace,
      row.key,
      row.imageId,
      row.hasLayer ? 1 : 0,
      row.description,
      row.sizeBytes,
      this.#nowMs(),
      this.#nowMs(),
    );
  }

  /** Least recently used first; of one namespace, or of all. */
  list(namespace?: string): CacheRow[] {
    const rows =
      namespace === undefined
        ? this.#db.all("SELECT * FROM build_cache ORDER BY used_ms, created_ms")
        : this.#db.all("SELECT * FROM build_cache WHERE namespace = ? ORDER BY used_ms, created_ms", namespace);
    return rows.map((row) => cacheRowSchema.parse(row));
  }

  /** What the entries of each namespace say that they hold. */
  sizes(): { namespace: string; sizeBytes: number }[] {
    const schema = z.object({ namespace: z.string(), bytes: z.number() });
    return this.#db
      .all("SELECT namespace, SUM(size_bytes) AS bytes FROM build_cache GROUP BY namespace")
      .map((row) => schema.parse(row))
      .map(({ namespace, bytes }) => ({ namespace, sizeBytes: bytes }));
  }

  delete(row: Pick<CacheRow, "namespace" | "key">): void {
    this.#db.run("DELETE FROM build_cache WHERE namespace = ? AND key = ?", row.namespace, row.key);
  }

  /** Whether an image is there for the cache alone. */
  isHidden(namespace: string, imageId: string): boolean {
    return this.#db.get("SELECT 1 FROM build_images WHERE namespace = ? AND image_id = ?", namespace, imageId) !== undefined;
  }

  hide(namespace: string, imageId: Digest): void {
    this.#db.run("INSERT OR IGNORE INTO build_images (namespace, image_id) VALUES (?, ?)", namespace, imageId);
  }

  show(namespace: string, imageId: Digest): void {
    this.#db.run("DELETE FROM build_images WHERE namespace = ? AND image_id = ?", namespace, imageId);
  }

  /** Keeps an image from being pruned until `unpin`. @param build whatever stands for the build. */
  pin(build: object, namespace: string, imageId: Digest): void {
    const pins = this.#pins.get(build) ?? new Set();
    this.#pins.set(build, pins.add(`${namespace} ${imageId}`));
  }

  unpin(build: object): void {
    this.#pins.delete(build);
  }

  /** Hidden images to which neither an entry nor a build leads any more. */
  unusedImages(): { namespace: string; imageId: Digest }[] {
    const rows = this.#db.all(
      `SELECT namespace, image_id FROM build_images i WHERE NOT EXISTS
         (SELECT 1 FROM build_cache c WHERE c.namespace = i.namespace AND c.image_id = i.image_id)`,
    );
    const unused = rows.map((row) => ({ namespace: z.string().parse(row["namespace"]), imageId: digestSchema.parse(row["image_id"]) }));
    const isPinned = (pin: string): boolean => [...this.#pins.values()].some((pins) => pins.has(pin));
    return unused.filter(({ namespace, imageId }) => !isPinned(`${namespace} ${imageId}`));
  }

  transaction<T>(work: () => T): T {
    return this.#db.transaction(work);
  }

  addContainer(name: string, namespace: string): void {
    this.#db.run("INSERT INTO build_containers (name, namespace) VALUES (?, ?)", name, namespace);
  }

  removeContainer(name: string): void {
    this.#db.run("DELETE FROM build_containers WHERE name = ?", name);
  }

  containers(): { name: string; namespace: string }[] {
    const schema = z.object({ name: z.string(), namespace: z.string() });
    return this.#db.all("SELECT name, namespace FROM build_containers").map((row) => schema.parse(row));
  }

  mounts(): MountRow[] {
    return this.#db.all("SELECT * FROM build_mounts ORDER BY used_ms").map((row) => mountRowSchema.parse(row));
  }

  useMount(mount: { directory: string; namespace: string; id: string }): void {
    this.#db.run(
      `INSERT INTO build_mounts (directory, namespace, id, created_ms, used_ms, use_count) VALUES (?, ?, ?, ?, ?, 1)
       ON CONFLICT (directory) DO UPDATE SET used_ms = excluded.used_ms, use_count = use_count + 1`,
      mount.directory,
      mount.namespace,
      mount.id,
      this.#nowMs(),
      this.#nowMs(),
    );
  }

  deleteMount(directory: string): void {
    this.#db.run("DELETE FROM build_mounts WHERE directory = ?", directory);
  }
}

/** A cache key: the hash of everything that decides a step's outcome. */
export function cacheKey(parts: readonly unknown[]): string {
  return hash("sha256", JSON.stringify(parts));
}
