import type { z } from "zod";

/** A field that is left out when it is missing or null: Go's encoders answer both. */
export function orAbsent<T extends z.ZodType>(schema: T) {
  return schema
    .nullish()
    .transform((value): z.output<T> | undefined => value ?? undefined)
    .optional();
}
