import { FlotillaError } from "@flotilla/core";
import { z } from "zod";

/** The `filters` of a list call: name of the filter → the values asked for (any of them may match). */
export type Filters = ReadonlyMap<string, readonly string[]>;

export const NO_FILTERS: Filters = new Map();

/** `{"label":{"a=b":true}}` of Go clients and `{"label":["a=b"]}` of docker-py and dockerode. */
const FiltersQuery = z.record(z.string(), z.union([z.array(z.string()), z.record(z.string(), z.boolean())]));

/**
 * Parses the query parameter `filters` in both encodings. Nothing at all, `""` and `{}` are no filters.
 * @throws FlotillaError `invalid` for bad JSON, and with Docker's words for a filter that is not in `allowed`.
 */
export function parseFilters(query: string | null | undefined, allowed: readonly string[]): Filters {
  if (query === null || query === undefined || query === "") return NO_FILTERS;
  const parsed = FiltersQuery.safeParse(parseJson(query));
  if (!parsed.success) throw new FlotillaError("invalid", "invalid filter: expected an object of lists or of sets of names");
  const filters = new Map<string, readonly string[]>();
  for (const [key, values] of Object.entries(parsed.data)) {
    if (!allowed.includes(key)) throw new FlotillaError("invalid", `invalid filter '${key}'`);
    const wanted = Array.isArray(values) ? values : Object.keys(values).filter((value) => values[value] === true);
    if (wanted.length > 0) filters.set(key, wanted);
  }
  return filters;
}

/** The encoding Go clients send; for clients of the engine. */
export function formatFilters(filters: Filters): string {
  const entries = [...filters].map(([key, values]) => [key, Object.fromEntries(values.map((value) => [value, true]))]);
  return JSON.stringify(Object.fromEntries(entries));
}

/** Whether labels satisfy all `wanted`, each `key` or `key=value` (Docker's `label` filter; all must match). */
export function matchesLabels(labels: Readonly<Record<string, string>>, wanted: readonly string[]): boolean {
  return wanted.every((text) => {
    const equals = text.indexOf("=");
    const key = equals < 0 ? text : text.slice(0, equals);
    if (!Object.hasOwn(labels, key)) return false;
    return equals < 0 || labels[key] === text.slice(equals + 1);
  });
}

/** The single boolean value of a filter such as `dangling`. @throws FlotillaError `invalid` for anything that is no boolean. */
export function booleanFilter(filters: Filters, key: string, fallback: boolean): boolean {
  const values = filters.get(key);
  if (values === undefined) return fallback;
  const isTrue = values.some((value) => value === "1" || value === "true");
  const isFalse = values.some((value) => value === "0" || value === "false");
  if (isTrue === isFalse) throw new FlotillaError("invalid", `invalid filter '${key}=[${values.join(" ")}]'`);
  return isTrue;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FlotillaError("invalid", `invalid filter: ${error instanceof Error ? error.message : String(error)}`);
  }
}
