import type { Filters } from "@flotilla/engine-api";
import type { Readable } from "node:stream";
import type { ImageStore } from "../engine/ports.ts";
import type { StorageContext } from "./context.ts";
import type { ImageLayers } from "./image-layers.ts";
import type { ImageRecord } from "./image-records.ts";
import type { DeletedItem, HistoryItem, ImageInspect, ImageSummary, PruneReport } from "./image-shapes.ts";
import type { ImportRequest } from "./import-image.ts";
import type { StagedLoad } from "./load-images.ts";
import type { TagRequest } from "./tag-image.ts";

/** A tree to read, to be given back. */
export type TreeView = { root: string; release(): Promise<void> };

/** Everything the API may do with images, besides what the engine needs of them. Errors are worded as Docker words them. */
export type ImageService = ImageStore & {
  /** What pull, push, commit and build are made of: layers, blobs, leases and records. */
  store: StorageContext;
  list(namespace: string, options: { filters: Filters; withSharedSize: boolean; withHidden?: boolean }): ImageSummary[];
  inspect(namespace: string, reference: string): ImageInspect;
  /** What each layer adds, changes, removes and wastes. @throws not_found at once; the walk ends with the signal. */
  layers(namespace: string, reference: string, signal?: AbortSignal): Promise<ImageLayers>;
  /** When each image was last used: null when that is not known, 0 for never. */
  listUse(namespace: string): { id: string; lastUsedMs: number | null }[];
  history(namespace: string, reference: string): HistoryItem[];
  tag(request: TagRequest): void;
  remove(namespace: string, reference: string, options: { force: boolean }): DeletedItem[];
  prune(namespace: string, filters: Filters): PruneReport;
  /** @throws not_found before anything is written. The tar ends the hold on the layers, whether read to its end or not. */
  save(namespace: string, references: readonly string[]): AsyncGenerator<Buffer>;
  stageLoad(namespace: string, tar: Readable): Promise<StagedLoad>;
  import(request: ImportRequest): Promise<ImageRecord>;
  /** Bytes of all layers of a namespace, each once: `LayersSize` of `docker system df`. */
  layersSizeBytes(namespace: string): number;
  /** The container's tree for reading, mounted for the purpose when it does not run: `docker export`. */
  viewRootfs(containerId: string): Promise<TreeView>;

  /** Start-up, before anything else: finishes or undoes what was cut off and removes what no row knows. */
  recover(): Promise<void>;
  /** Ends workers and waits for deletions under way. Mounts stay: containers run on. */
  close(): Promise<void>;
};
