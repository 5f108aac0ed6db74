import { FlotillaError } from "@flotilla/core";
import type { z } from "zod";
import { fieldsOf, type JsonSchema, typesOf } from "./json-schema.ts";
import type { RestRoute } from "./route.ts";

const PAGING = ["limit", "cursor"];

export type RestRequest = { parameters: Record<string, string>; search: URLSearchParams; body: unknown };

/**
 * The input of a procedure from a request: path, then the query (of GET and DELETE) or the body. The procedure parses it; here only
 * texts of addresses become what its schema says, and what it does not know is refused, so that a typing error is not ignored.
 * @throws invalid
 */
export function readInput(route: RestRoute, schema: z.ZodType | undefined, request: RestRequest): unknown {
  const { properties } = fieldsOf(schema);
  const isQuery = route.method === "GET" || route.method === "DELETE";
  if (!isQuery && request.search.size > 0) throw new FlotillaError("invalid", "this call takes no query: put it into the body");
  const given = isQuery ? readQuery(request.search, properties, pagingOf(route)) : readBody(request.body, Object.keys(properties));
  const input: Record<string, unknown> = { ...given };
  for (const [name, text] of Object.entries(request.parameters)) {
    if (Object.hasOwn(given, name)) throw new FlotillaError("invalid", `${name}: is in the path already`);
    input[name] = toValue(text, properties[name]);
  }
  return Object.keys(properties).length === 0 ? undefined : input;
}

/** Names that a list takes beside its procedure's own. */
function pagingOf(route: RestRoute): readonly string[] {
  return typeof route.list === "function" ? PAGING : [];
}

function readQuery(search: URLSearchParams, properties: Record<string, JsonSchema>, others: readonly string[]): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  for (const name of new Set(search.keys())) {
    if (others.includes(name)) continue;
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (schema === undefined) throw new FlotillaError("invalid", `${name}: is not a parameter of this call`);
    const texts = search.getAll(name);
    if (typesOf(schema).has("array")) input[name] = texts.map((text) => toValue(text, schema.items));
    else if (texts.length > 1) throw new FlotillaError("invalid", `${name}: is given ${texts.length} times`);
    else input[name] = toValue(texts[0] ?? "", schema);
  }
  return input;
}

function readBody(body: unknown, names: readonly string[]): Record<string, unknown> {
  if (body === undefined) return {};
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new FlotillaError("invalid", "the body must be a JSON object");
  const unknown = Object.keys(body).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new FlotillaError("invalid", `${unknown}: is not a field of this call`);
  return { ...body };
}

/** A text of an address as the number or boolean that the schema wants; anything else stays a text, for the schema to refuse. */
function toValue(text: string, schema: JsonSchema | undefined): unknown {
  const types = typesOf(schema);
  if (types.has("string")) return text;
  if ((types.has("integer") || types.has("number")) && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (types.has("boolean") && (text === "true" || text === "false")) return text === "true";
  if (types.has("null") && text === "null") return null;
  return text;
}
