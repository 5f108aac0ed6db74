import { FlotillaError } from "@flotilla/core";

export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1_000;

export type Page = { items: unknown[]; nextCursor: string | null; [more: string]: unknown };

/** `limit` and `cursor` of a request. @throws invalid */
export function readPaging(search: URLSearchParams): { limit: number; after: string | undefined } {
  const text = search.get("limit");
  const limit = text === null ? DEFAULT_LIMIT : Number(text);
  if (text !== null && (!/^\d{1,4}$/.test(text) || limit < 1 || limit > MAX_LIMIT))
    throw new FlotillaError("invalid", `limit: must be a number from 1 to ${MAX_LIMIT}`);
  const cursor = search.get("cursor");
  return { limit, after: cursor === null ? undefined : decodeCursor(cursor) };
}

/**
 * Cuts a page out of a whole list: in the order of the keys, after the cursor's. What is made or removed between two pages
 * neither repeats nor hides the others.
 */
export function paginate(
  answer: unknown,
  key: (item: never) => string,
  { limit, after }: { limit: number; after: string | undefined },
): Page {
  const { items, ...more } = (Array.isArray(answer) ? { items: answer as unknown[] } : answer) as { items: unknown[] };
  const keyed = inOrder(items, key);
  const rest = after === undefined ? keyed : keyed.filter((entry) => entry.key > after);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(({ item }) => item),
    nextCursor: rest.length > limit && last !== undefined ? encodeCursor(last.key) : null,
    ...more,
  };
}

type Keyed = readonly { item: unknown; key: string }[];
const ORDERED = new WeakMap<object, { key: (item: never) => string; keyed: Keyed }>();

/** By key. A list that several callers share is put in order once. */
function inOrder(items: readonly unknown[], key: (item: never) => string): Keyed {
  const known = ORDERED.get(items);
  if (known?.key === key) return known.keyed;
  const keyed = items.map((item) => ({ item, key: key(item as never) })).sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  ORDERED.set(items, { key, keyed });
  return keyed;
}

function encodeCursor(key: string): string {
  return Buffer.from(key, "utf8").toString("base64url");
}

function decodeCursor(cursor: string): string {
  if (!/^[A-Za-z0-9_-]{1,2048}$/.test(cursor)) throw new FlotillaError("invalid", "cursor: must be one that this list gave");
  return Buffer.from(cursor, "base64url").toString("utf8");
}

/** `Link` of a page (RFC 8288): the same address with the next cursor; undefined on the last page. */
export function linkToNext(path: string, search: URLSearchParams, nextCursor: string | null): string | undefined {
  if (nextCursor === null) return undefined;
  const next = new URLSearchParams(search);
  next.set("cursor", nextCursor);
  return `<${path}?${next.toString()}>; rel="next"`;
}
