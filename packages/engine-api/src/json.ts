import { z } from "zod";

// Go decodes `null` and a missing field alike, to the zero value; Docker's clients send both. These helpers do the same.

/** A field that is `fallback` when it is missing or null. */
export function orDefault<T extends z.ZodType>(schema: T, fallback: z.output<T>) {
  return schema.nullish().transform((value): z.output<T> => value ?? fallback);
}

/** A field that is `null` when it is missing: Docker answers `null` for a Go slice or map that nobody set. */
export function orNull<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value): z.output<T> | null => value ?? null);
}

/** A field that is left out when it is missing or null (`omitempty`). */
export function orAbsent<T extends z.ZodType>(schema: T) {
  return schema
    .nullish()
    .transform((value): z.output<T> | undefined => value ?? undefined)
    .optional();
}

export const text = orDefault(z.string(), "");
export const flag = orDefault(z.boolean(), false);
export const integer = orDefault(z.int(), 0);
export const strings = orNull(z.array(z.string()));
export const stringMap = orNull(z.record(z.string(), z.string()));

/** Go's `map[string]struct{}`. */
export const stringSet = z.record(z.string(), z.looseObject({})).transform((value) => {
  const result: Record<string, Record<string, never>> = {};
  for (const key of Object.keys(value)) result[key] = {};
  return result;
});

/** Docker's `strslice`: one string stands for a list of one. */
export const stringSlice = z.union([z.array(z.string()), z.string().transform((value) => [value])]);
