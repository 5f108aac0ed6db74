import { NO_FILTERS } from "@flotilla/engine-api";
import type { Builder } from "../build/builder.ts";
import type { Containers } from "../engine/containers-port.ts";
import type { ImageService } from "../storage/image-service.ts";
import { toVolume } from "../volumes/volume-routes.ts";
import type { Volumes } from "../volumes/volume-store.ts";
import type { DiskUsage } from "./system-routes.ts";

export type DiskUsageSources = { containers: Containers; images: ImageService; volumes: Volumes; builder: Pick<Builder, "list"> };

/** Adds up `GET /system/df` for one namespace. Only the kinds that are asked for are walked: volumes can be large. */
export async function measureDiskUsage(sources: DiskUsageSources, namespace: string, kinds: readonly string[]): Promise<DiskUsage> {
  const { containers, images, volumes, builder } = sources;
  const isWanted = (kind: string): boolean => kinds.length === 0 || kinds.includes(kind);
  return {
    LayersSize: isWanted("image") ? images.layersSizeBytes(namespace) : 0,
    Images: isWanted("image") ? images.list(namespace, { filters: NO_FILTERS, withSharedSize: true }) : [],
    Containers: isWanted("container") ? await containers.list(namespace, { all: true, limit: 0, size: true, filters: NO_FILTERS }) : [],
    Volumes: isWanted("volume")
      ? await Promise.all(
          volumes.list(namespace).map(async (view) => toVolume(view, { sizeBytes: await volumes.sizeBytes(namespace, view.name) })),
        )
      : [],
    BuildCache: isWanted("build-cache") ? await builder.list(namespace) : [],
  };
}
