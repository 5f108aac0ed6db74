import { json, type Route } from "../api/call.ts";
import type { ImageService } from "./image-service.ts";

/** What Docker's API has no words for: beside it, under `/flotilla/v1`. */
export function flotillaImageRoutes({ images }: { images: Pick<ImageService, "layers" | "listUse"> }): Route[] {
  return [
    {
      method: "GET",
      path: "/flotilla/v1/images/usage",
      handler: (call) => json({ images: images.listUse(call.namespace).map(toUse) }),
    },
    {
      method: "GET",
      path: "/flotilla/v1/images/:name*/layers",
      handler: async (call) => json(await images.layers(call.namespace, call.params["name"] ?? "", call.signal)),
    },
  ];
}

/** `lastUsedAt` is null for never, and when it is not known because the image was here before its use was written down. */
function toUse({ id, lastUsedMs }: { id: string; lastUsedMs: number | null }): unknown {
  const isUsed = lastUsedMs !== null && lastUsedMs > 0;
  return { id, lastUsedAt: isUsed ? new Date(lastUsedMs).toISOString() : null, isNeverUsed: lastUsedMs === 0 };
}
