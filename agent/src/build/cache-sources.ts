// `--cache-from`: images that somebody else built, as the classic builder uses them. What an image says of itself (its history)
// is believed, as in Docker, where it says all that decides a step; files that were copied are compared byte by byte.
import type { Step } from "@flotilla/dockerfile";
import type { HistoryEntry } from "@flotilla/image";
import type { BuildImage, BuildLayer } from "../storage/build-images.ts";
import type { BuildJob } from "./build-job.ts";
import type { BuilderDeps } from "./builder-deps.ts";
import type { BuildRequest } from "./build-types.ts";
import type { StageImage } from "./compose-image.ts";
import type { Lease } from "../storage/leases.ts";

/** What a step ended in when a source was built. */
export type SourceStep = { created: string; layer: BuildLayer | undefined };

/** The images that a build names as sources of its cache; those that are not here are none, as in Docker. */
export function openCacheSources(deps: BuilderDeps, request: BuildRequest, lease: Lease): BuildImage[] {
  const found = request.cacheFrom.flatMap((reference) => {
    try {
      return [deps.images.resolve(request.namespace, reference)];
    } catch {
      return [];
    }
  });
  for (const { chainId, blobDigest } of found.flatMap((image) => image.layers)) {
    lease.add(chainId);
    lease.add(blobDigest);
  }
  return found;
}

/** What the first source that came the same way so far did next, if that was this step. */
export function nextInSources(sources: readonly BuildImage[], before: StageImage, step: Step): SourceStep | undefined {
  for (const source of sources) {
    const history = source.config.history ?? [];
    const next = history[before.history.length];
    if (next?.created == null || next.created_by !== step.createdBy || !startsAs(source, history, before)) continue;
    const layer = next.empty_layer === true ? undefined : source.layers[before.layers.length];
    if (next.empty_layer !== true && layer === undefined) continue;
    return { created: next.created, layer };
  }
  return undefined;
}

/** Whether the history's text says all that a step does: not what scripts of heredocs, mounts or copied files held. */
export function isToldByHistory(step: Step): boolean {
  if (step.kind === "config" || step.kind === "workdir") return true;
  return step.kind === "run" && step.scripts.length === 0 && step.mounts.length === 0;
}

/** Whether two layers on the same parent bring the same files, whatever their times. */
export async function isSameLayer(job: BuildJob, made: BuildLayer, found: BuildLayer): Promise<boolean> {
  if (made.chainId === found.chainId) return true;
  const [first, second] = await job.deps.slots.run(async () => [await scan(job, made), await scan(job, found)]);
  return first !== undefined && first === second;
}

async function scan(job: BuildJob, layer: BuildLayer): Promise<string | undefined> {
  const root = job.deps.images.layerPath(layer.chainId);
  const answer = await job.deps.workers.run({ kind: "build-scan", root, sources: ["."] }, undefined, job.signal);
  return answer.kind === "scanned" ? answer.digest : undefined;
}

function startsAs(source: BuildImage, history: readonly HistoryEntry[], before: StageImage): boolean {
  const { architecture, os, variant } = source.config;
  const { platform } = before;
  if (os !== platform.os || architecture !== platform.architecture || (variant ?? undefined) !== platform.variant) return false;
  const isSameStep = (entry: HistoryEntry, at: number): boolean =>
    entry.created_by === history[at]?.created_by && (entry.empty_layer === true) === (history[at]?.empty_layer === true);
  return before.history.every(isSameStep) && before.layers.every(({ chainId }, at) => chainId === source.layers[at]?.chainId);
}
