import type { ImageStore } from "../engine/ports.ts";
import type { ImageRecord } from "./image-records.ts";
import type { ImportRequest } from "./import-image.ts";

/** Everything the API may do with images, besides what the engine needs of them. */
export type ImageService = ImageStore & {
  import(request: ImportRequest): Promise<ImageRecord>;
  /** Start-up, before anything else: finishes or undoes what was cut off and removes what no row knows. */
  recover(): Promise<void>;
  /** Ends workers and waits for deletions under way. Mounts stay: containers run on. */
  close(): Promise<void>;
};
