import { z } from "zod";
import type { Page } from "./paginate.ts";

/** What a list may look like outside: its schema, and that of one of its items. */
type ListSchemas = { whole: z.ZodType; item: z.ZodType; isBare: boolean };

const SCHEMAS = new WeakMap<z.ZodType, ListSchemas>();
/** By item's schema, the text of items that were shown before: lists that several callers share have the same items. */
const TEXTS = new WeakMap<z.ZodType, WeakMap<object, string>>();

/**
 * A page of a list as JSON: each item as the schema of the route lets it out, and the rest of the answer beside them. Only what is on
 * the page is parsed, and an object that is on many pages once.
 * @throws ZodError when the answer is not what the schema says
 */
export function renderPage(output: z.ZodType, page: Page): string {
  const schemas = schemasOf(output);
  const { items, nextCursor, ...more } = page;
  const texts = items.map((item) => textOf(schemas.item, item));
  // The rest is parsed as the answer of an empty list.
  const rest = schemas.isBare ? {} : (schemas.whole.parse({ ...more, items: [] }) as Record<string, unknown>);
  const fields = Object.entries({ ...rest, nextCursor }).flatMap(([name, value]) =>
    name === "items" || value === undefined ? [] : [`${JSON.stringify(name)}:${JSON.stringify(value)}`],
  );
  return `{${[`"items":[${texts.join(",")}]`, ...fields].join(",")}}`;
}

function textOf(schema: z.ZodType, item: unknown): string {
  if (typeof item !== "object" || item === null) return JSON.stringify(schema.parse(item));
  const known = TEXTS.get(schema) ?? new WeakMap<object, string>();
  TEXTS.set(schema, known);
  const found = known.get(item);
  if (found !== undefined) return found;
  const text = JSON.stringify(schema.parse(item));
  known.set(item, text);
  return text;
}

/** @throws for the schema of a route that is no list: a mistake in the table of routes, which a test would find */
function schemasOf(output: z.ZodType): ListSchemas {
  const known = SCHEMAS.get(output);
  if (known !== undefined) return known;
  const isBare = output instanceof z.ZodArray;
  const list: unknown = isBare ? output : output instanceof z.ZodObject ? output.shape["items"] : undefined;
  if (!(list instanceof z.ZodArray)) throw new Error("a list is an array, or an object with one as its items");
  const schemas = { whole: output, item: list.element as z.ZodType, isBare };
  SCHEMAS.set(output, schemas);
  return schemas;
}
