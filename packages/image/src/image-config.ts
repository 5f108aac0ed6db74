import { z } from "zod";
import { digestSchema } from "./digest.ts";

const strings = z.array(z.string());
const emptyObjects = z.record(
  z.string(),
  z.object({}).transform((): Record<string, never> => ({})),
);

/** Docker's health check; times are nanoseconds. */
export const healthcheckSchema = z.object({
  Test: strings.nullish(),
  Interval: z.number().nullish(),
  Timeout: z.number().nullish(),
  StartPeriod: z.number().nullish(),
  StartInterval: z.number().nullish(),
  Retries: z.number().nullish(),
});

/** The `config` object: what an image gives to its containers. Go writes null for what is empty. */
export const runConfigSchema = z.object({
  User: z.string().nullish(),
  ExposedPorts: emptyObjects.nullish(),
  Env: strings.nullish(),
  Entrypoint: strings.nullish(),
  Cmd: strings.nullish(),
  Volumes: emptyObjects.nullish(),
  WorkingDir: z.string().nullish(),
  Labels: z.record(z.string(), z.string()).nullish(),
  StopSignal: z.string().nullish(),
  Shell: strings.nullish(),
  Healthcheck: healthcheckSchema.nullish(),
  OnBuild: strings.nullish(),
});
export type RunConfig = z.output<typeof runConfigSchema>;

export const historyEntrySchema = z.object({
  created: z.string().nullish(),
  created_by: z.string().nullish(),
  author: z.string().nullish(),
  comment: z.string().nullish(),
  empty_layer: z.boolean().nullish(),
});
export type HistoryEntry = z.output<typeof historyEntrySchema>;

/** OCI image configuration, which is also Docker's `application/vnd.docker.container.image.v1+json`. */
export const imageConfigSchema = z.object({
  created: z.string().nullish(),
  author: z.string().nullish(),
  architecture: z.string(),
  os: z.string(),
  variant: z.string().nullish(),
  comment: z.string().nullish(),
  docker_version: z.string().nullish(),
  config: runConfigSchema.nullish(),
  rootfs: z.object({
    type: z.literal("layers"),
    diff_ids: z
      .array(digestSchema)
      .nullish()
      .transform((ids) => ids ?? []),
  }),
  history: z.array(historyEntrySchema).nullish(),
});
export type ImageConfig = z.output<typeof imageConfigSchema>;

/** A history entry with the layer it made, if any. */
export type HistoryLayer = { entry: HistoryEntry; layerIndex: number | undefined };

/**
 * Joins history and layers, oldest first: entries that are not empty take the layers in order. Histories are advice, so
 * one that is too short or too long for the layers is kept as far as it goes, and layers without history get an empty entry.
 */
export function alignHistory(config: ImageConfig): HistoryLayer[] {
  const layerCount = config.rootfs.diff_ids.length;
  let next = 0;
  const aligned = (config.history ?? []).map((entry): HistoryLayer => {
    if (entry.empty_layer === true || next >= layerCount) return { entry, layerIndex: undefined };
    return { entry, layerIndex: next++ };
  });
  while (next < layerCount) aligned.push({ entry: {}, layerIndex: next++ });
  return aligned;
}
