// From stages to the graph that a builder walks: what each stage stands on and copies from, which stages a target needs,
// and which of them may be built beside each other.
import { expandWord, formatCanonical, parseReference, withDefaultTag, type Platform } from "@flotilla/image";
import { FlotillaError, suggest } from "@flotilla/core";
import { assertBuildArgNames, evaluateGlobalArgs, platformArgs, type BuildArgs } from "./build-args.ts";
import { findCycle, topologicalWaves } from "./graph-order.ts";
import type { Instruction, Stage } from "./instruction.ts";
import { dockerfileError, withPosition, type Position } from "./location.ts";
import type { Dockerfile } from "./parse-dockerfile.ts";
import { parsePlatform } from "./platform.ts";
import type { Warning } from "./warning.ts";

/** Where files come from. */
export type Source = { kind: "scratch" } | { kind: "stage"; index: number } | { kind: "image"; reference: string; platform: Platform };

export type PlannedStage = {
  index: number;
  /** The name, else the index: what `COPY --from` may say. */
  label: string;
  stage: Stage;
  base: Source;
  platform: Platform;
  /** What each `--from` of the stage's COPY and `RUN --mount` means, by its text. */
  from: ReadonlyMap<string, Source>;
  /** Stages that must be there before the stage's last instruction is done, without repetition. */
  needs: readonly number[];
};

export type BuildGraph = {
  target: number;
  /** The stages that the target needs, and the target; each after those that it needs. */
  stages: PlannedStage[];
  /** The same stages in waves: those of one wave need nothing of each other. */
  waves: number[][];
  globalArgs: ReadonlyMap<string, string>;
  warnings: Warning[];
};

export type BuildOptions = { target?: string; buildArgs: BuildArgs; buildPlatform: Platform; targetPlatform: Platform };

type Context = {
  dockerfile: Dockerfile;
  options: BuildOptions;
  globalArgs: ReadonlyMap<string, string>;
  warnings: Warning[];
};

/**
 * Plans the build of a target, which is the last stage when none is named.
 * @throws FlotillaError `invalid` for a target or stage index that is not there, a loop of stages, an impossible image name.
 */
export function planBuild(dockerfile: Dockerfile, options: BuildOptions): BuildGraph {
  assertBuildArgNames(options.buildArgs);
  const platform = platformArgs(options.buildPlatform, options.targetPlatform);
  const globalArgs = evaluateGlobalArgs(dockerfile, options.buildArgs, platform);
  const context: Context = { dockerfile, options, globalArgs, warnings: [] };
  const target = findTarget(dockerfile, options.target);
  const planned = dockerfile.stages.map((stage) => planStage(stage, context));
  const needsOf = (index: number): readonly number[] => planned[index]?.needs ?? [];
  const cycle = findCycle(target, needsOf);
  if (cycle !== undefined) {
    const labels = cycle.map((index) => planned[index]?.label ?? String(index));
    const at = dockerfile.stages[cycle[0] ?? 0]?.from.location ?? { line: 1, column: 1 };
    throw dockerfileError(at, `circular dependency detected on stage: ${labels[0] ?? ""} (${[...labels, labels[0]].join(" → ")})`);
  }
  const waves = topologicalWaves(target, needsOf);
  const stages = waves
    .flat()
    .map((index) => planned[index])
    .filter((stage) => stage !== undefined);
  return { target, stages, waves, globalArgs, warnings: context.warnings };
}

/**
 * What a trigger of the base's ONBUILD adds to a stage: the meaning of its `--from`, to be resolved once the base is known.
 * @throws FlotillaError `invalid`.
 */
export function resolveFrom(dockerfile: Dockerfile, text: string, platform: Platform): Source {
  return sourceOf(dockerfile, text, { platform, at: { line: 1, column: 1 } });
}

function planStage(stage: Stage, context: Context): PlannedStage {
  const { dockerfile, options } = context;
  const at = stage.from.location;
  const base = expandFrom(stage.from.base, stage, context);
  if (base === "") throw dockerfileError(at, `base name (${stage.from.base}) should not be blank`);
  const written = stage.from.platform === undefined ? "" : expandFrom(stage.from.platform, stage, context);
  const platform = written === "" ? options.targetPlatform : withPosition(at, () => parsePlatform(written));
  // Only a stage above can be a base: a name that comes later is an image's.
  const earlier = dockerfile.stages.slice(0, stage.index).findLast(({ from }) => from.name === base.toLowerCase());
  const baseSource: Source = earlier === undefined ? imageOrScratch(base, { platform, at }) : { kind: "stage", index: earlier.index };
  const from = new Map<string, Source>();
  for (const instruction of stage.instructions) {
    for (const text of fromTextsOf(instruction)) from.set(text, sourceOf(dockerfile, text, { platform, at: instruction.location }));
  }
  const needs = new Set([baseSource, ...from.values()].flatMap((source) => (source.kind === "stage" ? [source.index] : [])));
  return { index: stage.index, label: stage.from.name ?? String(stage.index), stage, base: baseSource, platform, from, needs: [...needs] };
}

function expandFrom(text: string, stage: Stage, context: Context): string {
  const { location } = stage.from;
  const onUnset = (name: string): void => {
    const near = suggest(name, [...context.globalArgs.keys()]);
    const message = `FROM argument '${name}' is not declared`;
    context.warnings.push({ rule: "UndefinedArgInFrom", message, location, ...(near === undefined ? {} : { suggestion: near }) });
  };
  return withPosition(location, () => expandWord(text, context.globalArgs, { escape: context.dockerfile.directives.escape, onUnset }));
}

/** What `--from` says in an instruction. */
export function fromTextsOf(instruction: Instruction): string[] {
  if (instruction.kind === "copy") return instruction.from === undefined ? [] : [instruction.from];
  if (instruction.kind !== "run") return [];
  return instruction.mounts.flatMap((mount) =>
    (mount.type === "bind" || mount.type === "cache") && mount.from !== undefined ? [mount.from] : [],
  );
}

/** `--from`: a stage's name, wherever it stands; a stage's index; else an image. */
function sourceOf(dockerfile: Dockerfile, text: string, where: { platform: Platform; at: Position }): Source {
  const named = dockerfile.stages.findLast(({ from }) => from.name === text.toLowerCase());
  if (named !== undefined) return { kind: "stage", index: named.index };
  if (!/^-?\d+$/.test(text)) return imageOrScratch(text, where);
  const index = Number(text);
  if (index < 0 || index >= dockerfile.stages.length) throw dockerfileError(where.at, `invalid stage index ${text}`);
  return { kind: "stage", index };
}

function imageOrScratch(name: string, where: { platform: Platform; at: Position }): Source {
  if (name === "scratch") return { kind: "scratch" };
  const reference = withPosition(where.at, () => {
    try {
      return formatCanonical(withDefaultTag(parseReference(name)));
    } catch (error) {
      throw new FlotillaError("invalid", `failed to parse stage name "${name}": ${error instanceof Error ? error.message : "invalid"}`, {
        cause: error,
      });
    }
  });
  return { kind: "image", reference, platform: where.platform };
}

function findTarget(dockerfile: Dockerfile, target: string | undefined): number {
  const { stages } = dockerfile;
  if (target === undefined || target === "") return stages.length - 1;
  const named = stages.findLast(({ from }) => from.name === target.toLowerCase());
  if (named !== undefined) return named.index;
  if (/^\d+$/.test(target) && Number(target) < stages.length) return Number(target);
  const near = suggest(
    target,
    stages.flatMap(({ from }) => (from.name === undefined ? [] : [from.name])),
  );
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  throw new FlotillaError("invalid", `target stage "${target}" could not be found${hint}`);
}
