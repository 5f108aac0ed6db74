import type { StageState } from "@flotilla/dockerfile";
import type { HistoryEntry, ImageConfig, Platform, RunConfig } from "@flotilla/image";
import type { BuildImage, BuildLayer } from "../storage/build-images.ts";

/** A stage between two instructions: what the parser knows of it, and the image that it is so far. */
export type StageImage = {
  stage: StageState;
  platform: Platform;
  /** Lowest first. */
  layers: readonly BuildLayer[];
  history: readonly HistoryEntry[];
  created: string | undefined;
  /** undefined until `FROM scratch` is followed by something. */
  image: BuildImage | undefined;
};

export type NewStep = {
  createdBy: string;
  /** RFC 3339. */
  created: string;
  layer: BuildLayer | undefined;
};

/** A stage at its base. */
export function stageOnBase(base: BuildImage | undefined, place: { stage: StageState; platform: Platform }): StageImage {
  const { stage, platform } = place;
  if (base === undefined) return { stage, platform, layers: [], history: [], created: undefined, image: undefined };
  const { architecture, os, variant, history, created } = base.config;
  const own = { architecture, os, ...(variant == null ? {} : { variant }) };
  return { stage, platform: own, layers: base.layers, history: history ?? [], created: created ?? undefined, image: base };
}

/** The stage after a step: one more line of history, and one more layer when there is one. The image is not made yet. */
export function addStep(before: StageImage, step: NewStep): Omit<StageImage, "image"> {
  const { author } = before.stage;
  const entry: HistoryEntry = {
    created: step.created,
    created_by: step.createdBy,
    ...(author === undefined ? {} : { author }),
    ...(step.layer === undefined ? { empty_layer: true } : {}),
  };
  const layers = step.layer === undefined ? before.layers : [...before.layers, step.layer];
  return { stage: before.stage, platform: before.platform, layers, history: [...before.history, entry], created: step.created };
}

/** The configuration as it is stored: the same stage gives the same bytes, and so the same id. */
export function configTextOf(stage: Omit<StageImage, "image">): string {
  const { architecture, os, variant } = stage.platform;
  const config: ImageConfig = {
    architecture,
    ...(stage.stage.author === undefined ? {} : { author: stage.stage.author }),
    config: inOrder(stage.stage.config),
    created: stage.created ?? "1970-01-01T00:00:00Z",
    history: [...stage.history],
    os,
    rootfs: { type: "layers", diff_ids: stage.layers.map(({ diffId }) => diffId) },
    ...(variant == null ? {} : { variant }),
  };
  return JSON.stringify(config);
}

/** Members in a fixed order, without those that say nothing: instructions in another order must not give another id. */
export function inOrder(config: RunConfig): RunConfig {
  const entries = Object.entries(config).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
