import { json, type Route } from "../api/call.ts";
import type { ImageService } from "./image-service.ts";

/** What Docker's API has no words for: beside it, under `/flotilla/v1`. */
export function flotillaImageRoutes({ images }: { images: Pick<ImageService, "layers"> }): Route[] {
  return [
    {
      method: "GET",
      path: "/flotilla/v1/images/:name*/layers",
      handler: async (call) => json(await images.layers(call.namespace, call.params["name"] ?? "", call.signal)),
    },
  ];
}
