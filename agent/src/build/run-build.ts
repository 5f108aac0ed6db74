// A build from its context to its image. Every stage is a promise: it waits for the stages it stands on or copies from at
// the instruction that needs them, and for nothing else.
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import {
  declaredArgs,
  findUnconsumedArgs,
  formatUnconsumedArgs,
  parseDockerfile,
  parseIgnoreFile,
  PatternMatcher,
  planBuild,
  type BuildGraph,
  type Dockerfile,
  type Instruction,
  type PlannedStage,
  type Warning,
} from "@flotilla/dockerfile";
import type { Digest, Platform } from "@flotilla/image";
import { goArchitecture } from "../storage/go-architecture.ts";
import type { BuildContext } from "./build-context.ts";
import type { BuildJob } from "./build-job.ts";
import { openCacheSources } from "./cache-sources.ts";
import { buildStage } from "./build-stage.ts";
import type { BuildRequest, BuildSink } from "./build-types.ts";
import type { BuilderDeps } from "./builder-deps.ts";
import type { StageImage } from "./compose-image.ts";
import { StageOutputs } from "./stage-outputs.ts";

/** A build whose Dockerfile was read and planned: from here on it can only fail in its steps. */
export type PlannedBuild = {
  request: BuildRequest;
  context: BuildContext;
  dockerfile: Dockerfile;
  graph: BuildGraph;
  ignorePatterns: string[];
};

/** Reads and plans. @throws FlotillaError `invalid` in Docker's words, with line and column where there are any. */
export function planRequest(request: BuildRequest, context: BuildContext): PlannedBuild {
  const path = request.dockerfile === "" ? "Dockerfile" : request.dockerfile;
  if (path.split("/").includes("..") && !isInside(path)) {
    throw new FlotillaError("invalid", `Cannot locate Dockerfile: ${path}: it is outside of the build context`);
  }
  const text = context.readText(path) ?? (request.dockerfile === "" ? context.readText("dockerfile") : undefined);
  if (text === undefined) throw new FlotillaError("invalid", `Cannot locate specified Dockerfile: ${path}`);
  const dockerfile = parseDockerfile(text);
  const buildPlatform: Platform = { os: "linux", architecture: goArchitecture(process.arch) };
  const graph = planBuild(dockerfile, {
    target: request.target,
    buildArgs: request.buildArgs,
    buildPlatform,
    targetPlatform: request.platform ?? buildPlatform,
  });
  const ignoreText = context.readText(`${path}.dockerignore`) ?? context.readText(".dockerignore") ?? "";
  return { request, context, dockerfile, graph, ignorePatterns: parseIgnoreFile(ignoreText) };
}

/** Builds the target. @returns its image's id. */
export async function runBuild(deps: BuilderDeps, plan: PlannedBuild, run: { sink: BuildSink; signal: AbortSignal }): Promise<Digest> {
  const { request, dockerfile, graph } = plan;
  const failing = new AbortController();
  const signal = AbortSignal.any([run.signal, failing.signal]);
  const ignore = new PatternMatcher(plan.ignorePatterns);
  const epochSeconds = epochOf(request);
  const lease = deps.images.lease();
  const warnings: Warning[] = [...dockerfile.warnings, ...graph.warnings];
  const layout = layOut(plan);
  const outputs = new StageOutputs(run.sink, layout.length);
  const stages = new Map<number, Promise<StageImage>>();
  const job: BuildJob = {
    ...plan,
    deps,
    // Layers of others have times of their own, which a reproducible build must not take over.
    cacheSources: request.isCacheUsed && epochSeconds === undefined ? openCacheSources(deps, request, lease) : [],
    index: plan.context.index((path) => ignore.matches(path)),
    ignore,
    signal,
    lease,
    epochSeconds,
    stageOf: async (index) => {
      const stage = stages.get(index);
      if (stage === undefined) throw new FlotillaError("internal", `stage ${index} is not part of the build`);
      return await stage;
    },
  };
  try {
    for (const [at, arg] of dockerfile.globalArgs.entries()) {
      const text = `ARG ${arg.name}${arg.defaultValue === undefined ? "" : `=${arg.defaultValue}`}`;
      await run.sink({ kind: "step", number: at + 1, total: layout.at(-1)?.total ?? 0, text });
    }
    let failure: unknown;
    for (const [place, part] of layout.entries()) {
      const built = buildStage(job, { ...part, sink: outputs.sinkOf(place), warn: (warning) => warnings.push(warning) });
      const settled = built.then(
        async (stage) => {
          await outputs.finish(place);
          return stage;
        },
        async (error: unknown) => {
          // The first failure is the build's; what the others then say is its echo.
          failure ??= error;
          failing.abort(error);
          await outputs.fail(place);
          throw error;
        },
      );
      stages.set(part.planned.index, settled);
    }
    await Promise.allSettled(stages.values());
    // A worker or container that was ended by the cancelling fails in words of its own.
    run.signal.throwIfAborted();
    if (failure !== undefined) throw toFlotillaError(failure);
    const target = await job.stageOf(graph.target);
    return await finish(job, { target, warnings, sink: run.sink });
  } finally {
    lease.release();
    deps.store.unpin(lease);
    deps.images.collect();
  }
}

async function finish(job: BuildJob, end: { target: StageImage; warnings: readonly Warning[]; sink: BuildSink }): Promise<Digest> {
  const { deps, request } = job;
  const { image } = end.target;
  if (image === undefined) throw new FlotillaError("invalid", "No image was generated. Is your Dockerfile empty?");
  for (const { rule, message, location, suggestion } of end.warnings) {
    const hint = suggestion === undefined ? "" : ` (did you mean ${suggestion}?)`;
    await end.sink({ kind: "warning", text: `[Warning] ${rule}: ${message}${hint} (line ${location.line}, column ${location.column})` });
  }
  const unconsumed = findUnconsumedArgs(request.buildArgs, declaredArgs(job.dockerfile)).filter((name) => name !== "SOURCE_DATE_EPOCH");
  if (unconsumed.length > 0) await end.sink({ kind: "warning", text: formatUnconsumedArgs(unconsumed) });
  deps.store.show(request.namespace, image.id);
  await end.sink({ kind: "built", imageId: image.id });
  for (const tag of request.tags) await end.sink({ kind: "tagged", name: deps.images.tag(request.namespace, image.id, tag) });
  return image.id;
}

type Part = { planned: PlannedStage; instructions: readonly Instruction[]; firstNumber: number; total: number };

/** The stages in the order in which they are told, with the numbers of their steps. */
function layOut(plan: PlannedBuild): Part[] {
  const { dockerfile, graph, request } = plan;
  const inFileOrder = graph.stages.toSorted((a, b) => a.index - b.index);
  const isOrdered = inFileOrder.every((stage) => stage.needs.every((need) => need < stage.index));
  const stages = isOrdered ? inFileOrder : graph.stages;
  const withLabels = stages.map((planned) => ({
    planned,
    instructions:
      planned.index === graph.target ? [...planned.stage.instructions, ...labelInstructions(request, planned)] : planned.stage.instructions,
  }));
  const total = dockerfile.globalArgs.length + withLabels.reduce((sum, { instructions }) => sum + instructions.length + 1, 0);
  let next = dockerfile.globalArgs.length + 1;
  return withLabels.map((part) => {
    const firstNumber = next;
    next += part.instructions.length + 1;
    return { ...part, firstNumber, total };
  });
}

/** `--label`: one more LABEL at the end of the target. */
function labelInstructions({ labels }: BuildRequest, planned: PlannedStage): Instruction[] {
  if (labels.size === 0) return [];
  const quote = (text: string): string => `'${text.replaceAll("'", `'"'"'`)}'`;
  const pairs = [...labels].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => ({ name: quote(name), value: quote(value) }));
  const original = `LABEL ${[...labels]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join(" ")}`;
  return [{ kind: "label", pairs, original, location: planned.stage.from.location }];
}

function epochOf(request: BuildRequest): number | undefined {
  const text = request.buildArgs.get("SOURCE_DATE_EPOCH");
  if (typeof text !== "string" || text === "") return undefined;
  if (!/^\d{1,11}$/.test(text)) throw new FlotillaError("invalid", `invalid SOURCE_DATE_EPOCH: ${text}`);
  return Number(text);
}

function isInside(path: string): boolean {
  let depth = 0;
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    depth += part === ".." ? -1 : 1;
    if (depth < 0) return false;
  }
  return true;
}
