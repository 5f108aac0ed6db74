// What the builder needs of the image store beside the port of the engine: bases with their layers, layers from writable
// directories, images from configurations, and scratch space that a killed agent does not keep.
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { formatFamiliar, parseReference, withDefaultTag, type Digest, type ImageConfig, type Reference } from "@flotilla/image";
import { commitLayer } from "./commit-layer.ts";
import type { StorageContext } from "./context.ts";
import type { Lease } from "./leases.ts";

/** One layer of an image that is being put together. */
export type BuildLayer = { chainId: Digest; diffId: Digest; blobDigest: Digest };

/** An image of a namespace with its layers, lowest first. */
export type BuildImage = { id: Digest; config: ImageConfig; layers: readonly BuildLayer[]; createdMs: number };

export type CommitPlace = {
  parent: Digest | null;
  lease: Lease;
  /** SOURCE_DATE_EPOCH. */
  maxMtimeSeconds: number | undefined;
  signal: AbortSignal;
};

export type Scratch = { readonly path: string; discard: () => void };

export type BuildImages = {
  /** @throws not_found `No such image: x:tag`, invalid for a malformed reference. */
  resolve(namespace: string, reference: string): BuildImage;
  /** A build stands on it. */
  markUsed(namespace: string, id: Digest): void;
  /** By its full id. */
  find(namespace: string, id: Digest): BuildImage | undefined;
  /** Makes an image known to a namespace, or finds it there; its layers exist. */
  add(image: { namespace: string; configText: string; layers: readonly BuildLayer[] }): BuildImage;
  /** Points a name (default tag `latest`) at an image, with Docker's event. @returns the name as users see it. */
  tag(namespace: string, id: Digest, name: string): string;
  /** Takes an image without a name away; what only it used goes with `collect`. */
  remove(namespace: string, id: Digest): void;
  /** Bytes of the layers and blobs that went. */
  collect(): number;
  hasName(namespace: string, id: Digest): boolean;
  /** Host path of a layer's own tree, which nobody changes. */
  layerPath(chainId: Digest): string;
  /** Bytes of the files in one layer. */
  layerBytes(chainId: Digest): number;
  /** The writable directory of an unmounted root file system becomes a layer on `parent`, held by `lease`; the directory is gone then. */
  commit(rootfsId: string, at: CommitPlace): Promise<BuildLayer>;
  /** A writable root file system on a chain of layers (null: an empty one), which is removed by the engine's port. */
  prepare(rootfsId: string, chainId: Digest | null): Promise<void>;
  /** Mounts it for a step: what is written there is on the disk after `commit`, and not before. @returns the merged tree. */
  mount(rootfsId: string): Promise<string>;
  /** Keeps layers and blobs from the collector until an image leads to them. */
  lease(): Lease;
  /** A directory of root's (0700) on the store's file system, made when it is first asked for. After a kill the next start removes it. */
  scratch(): Scratch;
  /** Takes a file or tree on the store's file system away, at once; it is deleted in the background. */
  trash(path: string): void;
};

/** The builder's view of an image store. */
export function createBuildImages(context: StorageContext): BuildImages {
  const { records, leases, collector, snapshots, paths } = context;
  const toImage = (record: { id: Digest; config: ImageConfig; namespace: string; createdMs: number }): BuildImage => ({
    id: record.id,
    config: record.config,
    createdMs: record.createdMs,
    layers: records.layers(record).map(({ chainId, blob }) => ({ chainId, diffId: blob.diff_id, blobDigest: blob.digest })),
  });
  return {
    resolve: (namespace, reference) => toImage(records.resolve(namespace, reference).record),
    markUsed: (namespace, id) => records.markUsed(namespace, id),
    find(namespace, id) {
      const record = records.find(namespace, id);
      return record === undefined ? undefined : toImage(record);
    },
    add: (image) => toImage(records.add(image)),
    tag(namespace, id, name) {
      const reference: Reference = withDefaultTag(parseReference(name));
      const { record } = records.resolve(namespace, id);
      records.setName(record, reference);
      context.publish("tag", record, formatFamiliar(reference));
      return formatFamiliar(reference);
    },
    remove(namespace, id) {
      const record = records.find(namespace, id);
      if (record !== undefined) records.remove(record);
    },
    collect: () => collector.collect().sizeBytes,
    hasName: (namespace, id) => records.names({ namespace, id }).length > 0,
    layerPath: (chainId) => paths.layer(context.layers.get(chainId).number),
    layerBytes: (chainId) => context.layers.find(chainId)?.size_bytes ?? 0,
    commit: (rootfsId, place) => commitLayer(context, { directory: snapshots.upperPath(rootfsId), mode: "move", ...place }),
    prepare: (rootfsId, chainId) => snapshots.prepare(rootfsId, { id: "", chainId }),
    mount: (rootfsId) => snapshots.mount(rootfsId, { isVolatile: true }),
    lease: () => leases.open(),
    scratch() {
      const path = join(paths.tmp, `build-${randomUUID()}`);
      let isMade = false;
      return {
        get path() {
          if (!isMade) mkdirSync(path, { recursive: true, mode: 0o700 });
          isMade = true;
          return path;
        },
        discard: () => void (isMade && context.trash.discard(path)),
      };
    },
    trash: (path) => context.trash.discard(path),
  };
}
