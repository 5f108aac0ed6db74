import type { Logger } from "@flotilla/core";
import { formatFamiliar } from "@flotilla/image";
import { makeArchiveWorkers, type ArchiveWorkers } from "../archive/workers.ts";
import type { AgentConfig } from "../config.ts";
import type { ResolvedImage } from "../engine/ports.ts";
import type { EventBus } from "../events/bus.ts";
import type { Database } from "../store/database.ts";
import { Blobs } from "./blobs.ts";
import { Collector } from "./collector.ts";
import type { ImageUsage, StorageContext } from "./context.ts";
import { LayerInspector } from "./image-layers.ts";
import { ImageRecords, type ImageRecord } from "./image-records.ts";
import type { ImageService } from "./image-service.ts";
import { importImage } from "./import-image.ts";
import { imageHistory, inspectImage } from "./inspect-image.ts";
import { Layers } from "./layers.ts";
import { Leases } from "./leases.ts";
import { layersSizeBytes, listImages } from "./list-images.ts";
import { stageLoad } from "./load-images.ts";
import { pruneImages } from "./prune-images.ts";
import { removeImage } from "./remove-image.ts";
import { toRunConfig } from "./run-config.ts";
import { saveImages } from "./save-images.ts";
import { treeChanges } from "./rootfs-changes.ts";
import { RootfsUsage } from "./rootfs-usage.ts";
import { STORAGE_MIGRATION } from "./schema.ts";
import { Snapshots } from "./snapshots.ts";
import { makeStorePaths } from "./store-paths.ts";
import { tagImage } from "./tag-image.ts";
import { Trash } from "./trash.ts";

export type ImageStoreDeps = {
  config: AgentConfig;
  db: Database;
  events: EventBus;
  logger: Logger;
  usage: ImageUsage;
  /** Images that are there for the build cache alone: without a name they are neither listed nor pruned. */
  isHidden?: (namespace: string, imageId: string) => boolean;
  /** Shared with the archive service; the store makes its own otherwise. */
  workers?: ArchiveWorkers;
  nowMs?: () => number;
};

/** Opens the image store in the agent's data directory. Call `recover` before use. */
export function createImageStore(deps: ImageStoreDeps): ImageService {
  deps.db.migrate(STORAGE_MIGRATION);
  const context = createContext(deps);
  const { records, snapshots, collector, workers, trash } = context;
  const inspector = new LayerInspector({ ...context, db: deps.db });
  return {
    ...rootfsMethods(context),
    store: context,
    resolve: (namespace, reference) => toResolved(records.resolve(namespace, reference)),
    list: (namespace, options) => listImages(context, { namespace, ...options }),
    inspect: (namespace, reference) => inspectImage(context, records.resolve(namespace, reference).record),
    history: (namespace, reference) => imageHistory(context, records.resolve(namespace, reference).record),
    layers: (namespace, reference, signal) => inspector.inspect(records.resolve(namespace, reference).record, signal),
    markUsed: (namespace, imageId) => records.markUsed(namespace, imageId),
    listUse: (namespace) => records.listUse(namespace),
    tag: (request) => tagImage(context, request),
    remove: (namespace, reference, options) => removeImage(context, { namespace, reference, ...options }),
    prune: (namespace, filters) => pruneImages(context, { namespace, filters }),
    save: (namespace, references) => saveImages(context, { namespace, references }),
    stageLoad: (namespace, tar) => stageLoad(context, { namespace, tar }),
    import: (request) => importImage(context, request),
    layersSizeBytes: (namespace) => layersSizeBytes(context, namespace),
    viewRootfs: (containerId) => snapshots.view(containerId),
    async recover() {
      await snapshots.recover();
      await collector.recover();
    },
    async close() {
      await workers.close();
      await trash.settled();
      snapshots.close();
    },
  };
}

function createContext(deps: ImageStoreDeps): StorageContext {
  const nowMs = deps.nowMs ?? Date.now;
  const workers = deps.workers ?? makeArchiveWorkers(deps.config);
  const paths = makeStorePaths(deps.config.dataDir);
  const logger = deps.logger.child({ part: "storage" });
  const trash = new Trash({ paths, logger });
  const blobs = new Blobs(paths);
  const leases = new Leases();
  const layers = new Layers({ paths, db: deps.db, workers, trash });
  const records = new ImageRecords(deps.db, nowMs);
  const snapshots = new Snapshots({ paths, db: deps.db, layers, trash });
  const collector = new Collector({ db: deps.db, blobs, layers, leases, paths, trash });
  return {
    paths,
    blobs,
    layers,
    leases,
    records,
    snapshots,
    collector,
    trash,
    workers,
    events: deps.events,
    logger,
    usage: deps.usage,
    isHidden: deps.isHidden ?? (() => false),
    nowMs,
    publish(action, record, name) {
      const attributes = { ...record.config.config?.Labels, name };
      deps.events.publish({ namespace: record.namespace, type: "image", action, id: record.id, attributes });
    },
  };
}

type RootfsMethods = Pick<
  ImageService,
  "prepareRootfs" | "mountRootfs" | "rootfsPath" | "unmountRootfs" | "removeRootfs" | "listRootfs" | "rootfsUsage" | "rootfsChanges"
>;

function rootfsMethods(context: StorageContext): RootfsMethods {
  const { snapshots, records, collector } = context;
  const usage = new RootfsUsage(context);
  return {
    async prepareRootfs(containerId, imageId) {
      await snapshots.prepare(containerId, { id: imageId, chainId: records.topChain(imageId) });
    },
    mountRootfs: (containerId) => snapshots.mount(containerId),
    rootfsPath: (containerId) => snapshots.mergedPath(containerId),
    unmountRootfs: (containerId) => snapshots.unmount(containerId),
    async removeRootfs(containerId) {
      await snapshots.remove(containerId);
      // The image may have been removed before, leaving its layers to this container alone.
      collector.collect();
    },
    listRootfs: () => snapshots.list(),
    rootfsUsage: (containerId) => usage.get(containerId),
    rootfsChanges(containerId) {
      return treeChanges(snapshots.upperPath(containerId), snapshots.lowerDirs(snapshots.get(containerId).chain_id));
    },
  };
}

function toResolved(resolution: { record: ImageRecord; name: Parameters<typeof formatFamiliar>[0] | undefined }): ResolvedImage {
  const { record, name } = resolution;
  return {
    id: record.id,
    reference: name === undefined ? record.id : formatFamiliar(name),
    config: toRunConfig(record.config),
    architecture: record.config.architecture,
    os: record.config.os,
  };
}
