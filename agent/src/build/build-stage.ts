import { hash } from "node:crypto";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { enterStage, evaluate, type Instruction, type PlannedStage, type Step, type Warning } from "@flotilla/dockerfile";
import { parseSignal } from "../engine/signals.ts";
import type { BuildImage, BuildLayer } from "../storage/build-images.ts";
import type { BuildJob, StepScope } from "./build-job.ts";
import type { BuildSink } from "./build-types.ts";
import { addStep, configTextOf, stageOnBase, type StageImage } from "./compose-image.ts";
import { contextDigest, openCopySources } from "./copy-sources.ts";
import { copyStep } from "./copy-step.ts";
import { isSameLayer, isToldByHistory, nextInSources, type SourceStep } from "./cache-sources.ts";
import { findBase } from "./find-base.ts";
import { runContent } from "./run-content.ts";
import { runStep } from "./run-step.ts";
import { findStep, stepKey } from "./step-cache.ts";
import { workdirStep } from "./workdir-step.ts";

export type StageRequest = {
  planned: PlannedStage;
  instructions: readonly Instruction[];
  sink: BuildSink;
  /** Number of the stage's FROM among all steps. */
  firstNumber: number;
  total: number;
  warn: (warning: Warning) => void;
};

/** Builds one stage, from its base to its last instruction. */
export async function buildStage(job: BuildJob, request: StageRequest): Promise<StageImage> {
  const { planned, sink, total } = request;
  const scope: StepScope = { job, planned, sink };
  await sink({ kind: "step", number: request.firstNumber, total, text: planned.stage.from.original });
  const { start, triggers } = await enterBase(scope);
  let stage = start;
  if (triggers.length > 0) {
    await sink({ kind: "triggers", count: triggers.length });
    for (const trigger of triggers) stage = await perform(scope, { stage, instruction: trigger, warn: request.warn });
  }
  await sink({ kind: "stepped", imageId: stage.image?.id });
  for (const [at, instruction] of request.instructions.entries()) {
    job.signal.throwIfAborted();
    await sink({ kind: "step", number: request.firstNumber + at + 1, total, text: instruction.original });
    stage = await perform(scope, { stage, instruction, warn: request.warn });
    await sink({ kind: "stepped", imageId: stage.image?.id });
  }
  return stage;
}

async function enterBase({ job, planned, sink }: StepScope): Promise<{ start: StageImage; triggers: Instruction[] }> {
  if (planned.base.kind === "stage") {
    const base = await job.stageOf(planned.base.index);
    const { state, triggers } = enterStage(base.stage);
    return { start: { ...base, stage: state }, triggers };
  }
  const isAsked = planned.stage.from.platform !== undefined || job.request.platform !== undefined;
  const query = { platform: isAsked ? planned.platform : undefined, sink };
  const image = planned.base.kind === "image" ? await findBase(job, { ...query, reference: planned.base.reference }) : undefined;
  const author = image?.config.author ?? undefined;
  const { state, triggers } = enterStage({ config: image?.config.config ?? {}, author });
  return { start: stageOnBase(image, { stage: state, platform: planned.platform }), triggers };
}

type Work = { stage: StageImage; instruction: Instruction; warn: (warning: Warning) => void };

/** Evaluates an instruction and does its step, or finds it done. Errors get the instruction's place. */
async function perform(scope: StepScope, { stage: before, instruction, warn }: Work): Promise<StageImage> {
  const { job } = scope;
  try {
    const { buildArgs } = job.request;
    const context = { buildArgs, globalArgs: job.graph.globalArgs, escape: job.dockerfile.directives.escape };
    const { step, state, warnings } = evaluate(instruction, before.stage, context);
    for (const warning of warnings) warn(warning);
    if (instruction.kind === "stopsignal") parseSignal(state.config.StopSignal ?? "");
    return await doStep(scope, { before, after: { ...before, stage: state }, step });
  } catch (error) {
    if (job.signal.aborted) throw error;
    const failure = toFlotillaError(error);
    if ("line" in failure.details) throw failure;
    const { line, column } = instruction.location;
    throw new FlotillaError(failure.code, failure.message, { cause: error, details: { ...failure.details, line, column } });
  }
}

type Change = { before: StageImage; after: StageImage; step: Step };

async function doStep(scope: StepScope, change: Change): Promise<StageImage> {
  switch (change.step.kind) {
    case "config":
      return await finishStep(scope, change, { contents: [""], work: async () => undefined });
    case "workdir": {
      const { path } = change.step;
      return await finishStep(scope, change, { contents: [""], work: () => workdirStep(scope.job, path, topOf(change.before)) });
    }
    case "run":
      return await doRun(scope, change, change.step);
    case "add":
    case "copy":
      return await doCopy(scope, change, change.step);
  }
}

async function doRun(scope: StepScope, change: Change, step: Extract<Step, { kind: "run" }>): Promise<StageImage> {
  const work = async (): Promise<BuildLayer> => {
    // A container needs an image also where the stage has none yet.
    const image = change.before.image ?? addHidden(scope.job, change.before);
    return await runStep(scope, step, image);
  };
  return await finishStep(scope, change, { contents: [await runContent(scope, step)], work });
}

async function doCopy(scope: StepScope, change: Change, step: Extract<Step, { kind: "add" | "copy" }>): Promise<StageImage> {
  const { job } = scope;
  const sources = await openCopySources(scope, step);
  try {
    const { contextItems, other, fetched } = sources;
    const contents: (string | (() => Promise<string>))[] = [];
    if (other === undefined) {
      const digests = fetched.map(({ digest, name }) => `${name}=${digest}`);
      contents.push(JSON.stringify([contextDigest(job.index, contextItems), digests]));
    } else {
      // The whole tree first, which costs nothing; then just the files, which a worker has to read.
      contents.push(`tree:${other.mount.chainId ?? ""}`, async () => {
        const answer = await job.deps.workers.run(
          { kind: "build-scan", root: await other.mount.root(), sources: [...other.sources] },
          undefined,
          job.signal,
        );
        return answer.kind === "scanned" ? `files:${answer.digest}` : "";
      });
    }
    return await finishStep(scope, change, { contents, work: () => copyStep(job, step, { sources, parent: topOf(change.before) }) });
  } finally {
    await sources.close();
  }
}

type StepWork = { contents: readonly (string | (() => Promise<string>))[]; work: () => Promise<BuildLayer | undefined> };

async function finishStep(scope: StepScope, change: Change, { contents, work }: StepWork): Promise<StageImage> {
  const { job, sink } = scope;
  const keys: string[] = [];
  for (const content of contents) {
    const key = stepKey(job, { ...change, content: typeof content === "string" ? content : await job.deps.slots.run(content) });
    keys.push(key);
    const cached = job.request.isCacheUsed ? findStep(job, key) : undefined;
    if (cached === undefined) continue;
    const { created, layer } = cached;
    const stage = addStep(change.after, { created, layer, createdBy: change.step.createdBy });
    // Before anything waits: what was found is there now.
    const image = addImage(job, stage, cached.image);
    for (const missed of keys.slice(0, -1)) remember(job, missed, { change, image, layer });
    await sink({ kind: "cached" });
    return image;
  }
  const source = nextInSources(job.cacheSources, change.before, change.step);
  const { created, layer, isCached } = await fromSource(job, { source, step: change.step, work });
  const image = addImage(job, addStep(change.after, { createdBy: change.step.createdBy, created, layer }));
  for (const key of keys) remember(job, key, { change, image, layer });
  if (isCached) await sink({ kind: "cached" });
  return image;
}

type Outcome = SourceStep & { isCached: boolean };

/** What a source of the cache has, where that is known or turns out to be the same; else what the step makes now. */
async function fromSource(job: BuildJob, at: { source: SourceStep | undefined; step: Step; work: StepWork["work"] }): Promise<Outcome> {
  const { source, step, work } = at;
  if (source !== undefined && isToldByHistory(step)) return { ...source, isCached: true };
  const layer = step.kind === "config" ? undefined : await job.deps.slots.run(work);
  const isSame = source?.layer !== undefined && layer !== undefined && step.kind !== "run" && (await isSameLayer(job, layer, source.layer));
  return isSame ? { ...source, isCached: true } : { created: createdNow(job), layer, isCached: false };
}

function remember(job: BuildJob, key: string, made: { change: Change; image: StageImage; layer: BuildLayer | undefined }): void {
  const { namespace } = job.request;
  if (made.image.image === undefined) return;
  job.deps.store.put({
    namespace,
    key,
    imageId: made.image.image.id,
    hasLayer: made.layer !== undefined,
    description: made.change.step.createdBy.slice(0, 500),
    sizeBytes: made.layer === undefined ? 0 : job.deps.images.layerBytes(made.layer.chainId),
  });
}

/** Makes the image that the stage is now, unless it is `found`. It is there for the cache until somebody names it. */
function addImage(job: BuildJob, stage: Omit<StageImage, "image">, found?: BuildImage): StageImage {
  return { ...stage, image: addHidden(job, stage, found) };
}

function addHidden(job: BuildJob, stage: Omit<StageImage, "image">, found?: BuildImage): BuildImage {
  const { store, images } = job.deps;
  const { namespace } = job.request;
  const configText = configTextOf(stage);
  const id = `sha256:${hash("sha256", configText)}` as const;
  // Before anything can take it away again: the next step stands on it.
  store.pin(job.lease, namespace, id);
  if (found?.id === id) return found;
  return store.transaction(() => {
    const known = images.find(namespace, id);
    if (known !== undefined) return known;
    const image = images.add({ namespace, configText, layers: stage.layers });
    store.hide(namespace, image.id);
    return image;
  });
}

function topOf(stage: StageImage): BuildLayer["chainId"] | null {
  return stage.layers.at(-1)?.chainId ?? null;
}

/** RFC 3339; the same for every step of a reproducible build. */
function createdNow(job: BuildJob): string {
  return new Date(job.epochSeconds === undefined ? job.deps.nowMs() : job.epochSeconds * 1000).toISOString();
}
