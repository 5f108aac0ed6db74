"use client";

import { useMemo } from "react";

/** What a frame needs of a query: its answer, why there is none, and how to ask again. TanStack's queries are such. */
export type Loadable<Data> = { data: Data | undefined; error: unknown; refetch: () => unknown };

/** A zod schema, as far as a page needs one. */
export type Parser<Output> = { safeParse: (value: unknown) => { success: true; data: Output } | { success: false } };

/** A query whose answer an engine gave: parsed by its schema, with the answer as it came beside it. `unreadable` says that it does not fit. */
export function useParsed<Output>(
  query: Loadable<unknown>,
  schema: Parser<Output>,
  unreadable: string,
): Loadable<{ details: Output; raw: unknown }> {
  const { data: raw, error, refetch } = query;
  const parsed = useMemo(() => (raw === undefined ? undefined : schema.safeParse(raw)), [raw, schema]);
  const data = useMemo(() => (parsed?.success === true ? { details: parsed.data, raw } : undefined), [parsed, raw]);
  return { data, error: error ?? (parsed?.success === false ? new Error(unreadable) : null), refetch };
}
