import type { Logger } from "@flotilla/core";
import type { ArchiveWorkers } from "../archive/workers.ts";
import type { EventBus } from "../events/bus.ts";
import type { Blobs } from "./blobs.ts";
import type { Collector } from "./collector.ts";
import type { ImageRecord, ImageRecords } from "./image-records.ts";
import type { Layers } from "./layers.ts";
import type { Leases } from "./leases.ts";
import type { Snapshots } from "./snapshots.ts";
import type { StorePaths } from "./store-paths.ts";
import type { Trash } from "./trash.ts";

/** A container made from an image. */
export type ImageUse = { containerId: string; isRunning: boolean };

/** Containers of a namespace made from an image, running or not. */
export type ImageUsage = (namespace: string, imageId: string) => readonly ImageUse[];

export type ImageAction = "import" | "load" | "save" | "tag" | "untag" | "delete" | "prune";

/** What the operations on images share. */
export type StorageContext = {
  paths: StorePaths;
  blobs: Blobs;
  layers: Layers;
  leases: Leases;
  records: ImageRecords;
  snapshots: Snapshots;
  collector: Collector;
  trash: Trash;
  workers: ArchiveWorkers;
  events: EventBus;
  logger: Logger;
  usage: ImageUsage;
  /** Whether an image is there for the build cache alone. */
  isHidden(namespace: string, imageId: string): boolean;
  nowMs(): number;
  /** Publishes an image event as Docker does: labels and the name the user sees as attributes. */
  publish(action: ImageAction, record: ImageRecord, name: string): void;
};
