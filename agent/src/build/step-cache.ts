// Whether a step was done before on the same base with the same input. Keys name content, never images: the same files
// on the same layers are found again whatever image, tag or history they came by.
import { cacheInputs, type Step } from "@flotilla/dockerfile";
import type { BuildImage, BuildLayer } from "../storage/build-images.ts";
import { cacheKey } from "./build-store.ts";
import type { BuildJob } from "./build-job.ts";
import { inOrder, type StageImage } from "./compose-image.ts";

/** What a step ended in, once: `image`, which is that of this build too unless its history is another. */
export type CachedStep = { created: string; layer: BuildLayer | undefined; image: BuildImage };

/** @param content says what the step reads from elsewhere; one key for each way to say it. */
export function stepKey(job: BuildJob, at: { before: StageImage; after: StageImage; step: Step; content: string }): string {
  const { before, after, step, content } = at;
  const base = [before.layers.at(-1)?.chainId ?? null, before.platform.os, before.platform.architecture, before.platform.variant ?? null];
  // The layers of a step do not depend on what the configuration says beyond what RUN takes from it.
  const config = step.kind === "run" ? [before.stage.config.Volumes ?? null] : [inOrder(after.stage.config), after.stage.author ?? null];
  const surroundings = step.kind === "run" ? job.request.limits.networkMode : "";
  return cacheKey([base, config, cacheInputs(step), content, surroundings, job.epochSeconds ?? null]);
}

/** Looks a key up; an entry whose image somebody removed is no entry. */
export function findStep(job: BuildJob, key: string): CachedStep | undefined {
  const { store, images } = job.deps;
  const { namespace } = job.request;
  const row = store.find(namespace, key);
  const image = row === undefined ? undefined : images.find(namespace, row.image_id);
  if (row === undefined || image?.config.created == null) return undefined;
  const layer = row.has_layer === 1 ? image.layers.at(-1) : undefined;
  if (row.has_layer === 1 && layer === undefined) return undefined;
  if (layer !== undefined) {
    job.lease.add(layer.chainId);
    job.lease.add(layer.blobDigest);
  }
  store.touch(namespace, key);
  return { created: image.config.created, layer, image };
}
