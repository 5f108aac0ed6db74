"use client";

import { useMemo } from "react";
import type { z } from "zod";

/** What a frame needs of a query: its answer, why there is none, and how to ask again. TanStack's queries are such. */
export type Loadable<Data> = { data: Data | undefined; error: unknown; refetch: () => unknown };

/** A query whose answer an engine gave: parsed by its schema, with the answer as it came beside it. `unreadable` says that it does not fit. */
export function useParsed<Schema extends z.ZodType>(
  query: Loadable<unknown>,
  schema: Schema,
  unreadable: string,
): Loadable<{ details: z.output<Schema>; raw: unknown }> {
  const { data: raw, error, refetch } = query;
  const parsed = useMemo(() => (raw === undefined ? undefined : schema.safeParse(raw)), [raw, schema]);
  const data = useMemo(() => (parsed?.success === true ? { details: parsed.data, raw } : undefined), [parsed, raw]);
  return { data, error: error ?? (parsed?.success === false ? new Error(unreadable) : null), refetch };
}
