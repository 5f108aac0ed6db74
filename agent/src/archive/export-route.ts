import { pipeline } from "node:stream/promises";
import type { Route } from "../api/call.ts";
import type { Containers } from "../engine/containers-port.ts";
import type { EventBus } from "../events/bus.ts";
import type { ImageService } from "../storage/image-service.ts";
import type { Archives } from "./create-archive-service.ts";

export type ExportRouteDeps = {
  containers: Pick<Containers, "get">;
  images: Pick<ImageService, "viewRootfs">;
  archive: Pick<Archives, "exportTree">;
  events: EventBus;
};

/** `docker export`: the container's root file system without its volumes, running or not. */
export function exportRoute(deps: ExportRouteDeps): Route {
  return {
    method: "GET",
    path: "/containers/:id/export",
    async handler(call) {
      const container = deps.containers.get(call.namespace, call.params["id"] ?? "");
      const view = await deps.images.viewRootfs(container.id);
      try {
        const stream = await deps.archive.exportTree(view.root);
        const attributes = { ...container.labels, image: container.image, name: container.name };
        deps.events.publish({ namespace: container.namespace, type: "container", action: "export", id: container.id, attributes });
        return {
          kind: "stream",
          status: 200,
          contentType: "application/octet-stream",
          write: async (sink) => {
            try {
              await pipeline(stream, sink, { signal: call.signal });
            } finally {
              await view.release();
            }
          },
        };
      } catch (error) {
        await view.release();
        throw error;
      }
    },
  };
}
