import type { BuildGraph, Dockerfile, PatternMatcher, PlannedStage } from "@flotilla/dockerfile";
import type { BuildContext } from "./build-context.ts";
import type { BuildRequest, BuildSink } from "./build-types.ts";
import type { BuilderDeps } from "./builder-deps.ts";
import type { StageImage } from "./compose-image.ts";
import type { BuildImage } from "../storage/build-images.ts";
import type { Lease } from "../storage/leases.ts";
import type { ContextIndex } from "./worker/context-index.ts";

/** One build under way: what its stages and steps share. */
export type BuildJob = {
  deps: BuilderDeps;
  request: BuildRequest;
  dockerfile: Dockerfile;
  graph: BuildGraph;
  /** Images of `--cache-from`. */
  cacheSources: readonly BuildImage[];
  context: BuildContext;
  /** The context without what .dockerignore says. */
  index: ContextIndex;
  ignorePatterns: readonly string[];
  ignore: PatternMatcher;
  /** Aborts when the client is gone, the build is cancelled or a stage failed. */
  signal: AbortSignal;
  /** Holds layers from when they are made until an image leads to them. */
  lease: Lease;
  /** SOURCE_DATE_EPOCH in seconds. */
  epochSeconds: number | undefined;
  /** A stage that is being built, or was. */
  stageOf(index: number): Promise<StageImage>;
};

/** Where a step stands. */
export type StepScope = { job: BuildJob; planned: PlannedStage; sink: BuildSink };
