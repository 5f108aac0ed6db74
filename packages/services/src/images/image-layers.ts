import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";
import { openHost } from "../engine/ask-hosts.ts";
import { engineJson } from "../engine/engine-call.ts";
import { encodeReference } from "./image-names.ts";

/** The first look at a large image walks all its files; what was found out is kept layer by layer, so that a second try goes on. */
const WALK_TIMEOUT_MS = 120_000;

const count = z.number().int().nonnegative();
const fileCount = z.object({ files: count, bytes: count });

/** Answer of the engine's `GET /flotilla/v1/images/NAME/layers`, lowest layer first. Sizes in bytes. */
export const imageLayers = z.object({
  id: z.string(),
  sizeBytes: count,
  wastedBytes: count,
  layers: z.array(
    z.object({
      diffId: z.string(),
      historyIndex: count,
      instruction: z.string(),
      sizeBytes: count,
      added: fileCount,
      changed: fileCount,
      removed: fileCount,
      wastedBytes: count,
      entryCount: count,
      entries: z.array(z.object({ path: z.string(), kind: z.enum(["added", "changed", "removed"]), sizeBytes: count, hiddenBytes: count })),
    }),
  ),
});
export type ImageLayers = z.output<typeof imageLayers>;

/** What each layer of an image adds, changes, removes and wastes. */
export async function layersOfImage(services: ServiceContext, actor: Actor, ref: { host: string; id: string }): Promise<ImageLayers> {
  const { link, namespace } = await openHost(services, actor, ref.host);
  const path = `/flotilla/v1/images/${encodeReference(ref.id)}/layers`;
  return engineJson(link, { namespace, method: "GET", path, timeoutMs: WALK_TIMEOUT_MS }, imageLayers);
}
