import type { BuilderDeps } from "./builder-deps.ts";
import type { CacheRow } from "./build-store.ts";
import { directorySizeBytes } from "../volumes/directory-size.ts";

export type PruneRequest = {
  namespace: string;
  /** Also what an image with a name or a build result still shares; else only what is there for the cache alone. */
  isAll: boolean;
  /** Bytes of the cache that may stay. */
  keepBytes: number;
  /** Only what was not used since, in milliseconds since the epoch. */
  until: number | undefined;
};

/** One entry of `GET /system/df`. */
export type CacheRecord = {
  ID: string;
  Parents: null;
  Type: "regular" | "exec.cachemount";
  Description: string;
  InUse: boolean;
  Shared: boolean;
  Size: number;
  CreatedAt: string;
  LastUsedAt: string | null;
  UsageCount: number;
};

/** Removes cache entries, least recently used first, until `keepBytes` are left, and what only they kept. */
export function pruneCache(deps: BuilderDeps, request: PruneRequest): { CachesDeleted: string[]; SpaceReclaimed: number } {
  const { store, images, mounts } = deps;
  const { namespace, keepBytes, until } = request;
  const rows = store.list(namespace);
  let left = rows.reduce((sum, row) => sum + row.size_bytes, 0);
  const deleted: string[] = [];
  for (const row of rows) {
    if (left <= keepBytes && keepBytes > 0) break;
    if (until !== undefined && row.used_ms > until) continue;
    if (!request.isAll && !isDangling(deps, row)) continue;
    store.delete(row);
    left -= row.size_bytes;
    deleted.push(row.key.slice(0, 25));
  }
  if (request.isAll) {
    for (const row of mounts.idle(namespace)) {
      if (until !== undefined && row.used_ms > until) continue;
      if (keepBytes > 0) continue;
      store.deleteMount(row.directory);
      images.trash(mounts.pathOf(row));
      deleted.push(row.directory);
    }
  }
  for (const image of store.unusedImages()) {
    if (image.namespace !== namespace) continue;
    const isUsed = deps.containers.views(namespace).some((view) => view.imageId === image.imageId);
    if (isUsed) continue;
    if (!images.hasName(namespace, image.imageId)) images.remove(namespace, image.imageId);
    store.show(namespace, image.imageId);
  }
  return { CachesDeleted: deleted, SpaceReclaimed: images.collect() };
}

/** Nothing but the cache has the image: no name, and no result of a build. */
function isDangling(deps: BuilderDeps, row: CacheRow): boolean {
  return deps.store.isHidden(row.namespace, row.image_id) && !deps.images.hasName(row.namespace, row.image_id);
}

export async function listCache(deps: BuilderDeps, namespace: string): Promise<CacheRecord[]> {
  const { store, mounts } = deps;
  const steps = store.list(namespace).map((row): CacheRecord => {
    const isShared = !isDangling(deps, row);
    return {
      ID: row.key.slice(0, 25),
      Parents: null,
      Type: "regular",
      Description: row.description,
      InUse: false,
      Shared: isShared,
      Size: row.size_bytes,
      CreatedAt: new Date(row.created_ms).toISOString(),
      LastUsedAt: new Date(row.used_ms).toISOString(),
      UsageCount: row.use_count,
    };
  });
  const own = store.mounts().filter((row) => row.namespace === namespace);
  const directories = await Promise.all(
    own.map(async (row): Promise<CacheRecord> => ({
      ID: row.directory,
      Parents: null,
      Type: "exec.cachemount",
      Description: `cache mount ${row.id}`,
      InUse: mounts.isUsed(row),
      Shared: false,
      Size: await directorySizeBytes(mounts.pathOf(row)),
      CreatedAt: new Date(row.created_ms).toISOString(),
      LastUsedAt: new Date(row.used_ms).toISOString(),
      UsageCount: row.use_count,
    })),
  );
  return [...steps, ...directories];
}
