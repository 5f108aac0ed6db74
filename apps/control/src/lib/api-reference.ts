// zod/mini: the same schemas, of which a page loads a third.
import * as z from "zod/mini";

// What the page of the API reference shows, from the OpenAPI document that the control plane serves.

export type JsonSchema = {
  type?: string | string[] | undefined;
  enum?: unknown[] | undefined;
  const?: unknown;
  default?: unknown;
  description?: string | undefined;
  minimum?: number | undefined;
  properties?: Record<string, JsonSchema> | undefined;
  required?: string[] | undefined;
  /** False where `prefixItems` says all of them. */
  items?: JsonSchema | boolean | undefined;
  prefixItems?: JsonSchema[] | undefined;
  anyOf?: JsonSchema[] | undefined;
};

const schema: z.ZodMiniType<JsonSchema> = z.lazy(() =>
  z.looseObject({
    type: z.optional(z.union([z.string(), z.array(z.string())])),
    enum: z.optional(z.array(z.unknown())),
    const: z.optional(z.unknown()),
    default: z.optional(z.unknown()),
    description: z.optional(z.string()),
    minimum: z.optional(z.number()),
    properties: z.optional(z.record(z.string(), schema)),
    required: z.optional(z.array(z.string())),
    items: z.optional(z.union([schema, z.boolean()])),
    prefixItems: z.optional(z.array(schema)),
    anyOf: z.optional(z.array(schema)),
  }),
);
const content = z.record(z.string(), z.looseObject({ schema: z.optional(schema) }));
const operation = z.looseObject({
  operationId: z.string(),
  summary: z.string(),
  tags: z.array(z.string()).check(z.minLength(1)),
  parameters: z.array(
    z.looseObject({ name: z.string(), in: z.string(), required: z.boolean(), schema, description: z.optional(z.string()) }),
  ),
  requestBody: z.optional(z.looseObject({ content })),
  responses: z.record(z.string(), z.looseObject({ description: z.optional(z.string()), content: z.optional(content) })),
});
export const openApi = z.looseObject({
  info: z.looseObject({ description: z.string() }),
  servers: z.array(z.looseObject({ url: z.string() })).check(z.minLength(1)),
  tags: z.array(z.looseObject({ name: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), operation)),
});

export type ApiField = { name: string; place: "path" | "query" | "header" | "body"; type: string; isRequired: boolean };
export type ApiOperation = {
  id: string;
  method: string;
  path: string;
  summary: string;
  fields: ApiField[];
  /** Status and shape of what is answered when all went well. */
  answer: { status: string; type: string; fields: ApiField[] };
  /** A line of curl that can be changed and run. */
  example: string;
};
export type ApiGroup = { tag: string; operations: ApiOperation[] };

/** Every operation by its first tag, in the order of the document. */
export function readApiReference(document: z.output<typeof openApi>, origin: string): ApiGroup[] {
  const base = `${origin}${document.servers[0]?.url ?? ""}`;
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({ tag: described.tags[0] ?? "", ...read(base, { path, method, described }) })),
  );
  return document.tags
    .map(({ name }) => ({ tag: name, operations: all.filter(({ tag }) => tag === name) }))
    .filter(({ operations }) => operations.length > 0);
}

/** Operations whose path, method or sentence holds all words; groups without any are left out. */
export function searchApi(groups: readonly ApiGroup[], text: string): ApiGroup[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const isWanted = ({ method, path, summary, id }: ApiOperation): boolean => {
    const about = `${method} ${path} ${summary} ${id}`.toLowerCase();
    return words.every((word) => about.includes(word));
  };
  return groups
    .map(({ tag, operations }) => ({ tag, operations: operations.filter(isWanted) }))
    .filter(({ operations }) => operations.length > 0);
}

type Described = { path: string; method: string; described: z.output<typeof operation> };

function read(base: string, { path, method, described }: Described): ApiOperation {
  const body = Object.values(described.requestBody?.content ?? {})[0]?.schema;
  const parameters = described.parameters.map(({ name, in: place, required, schema: one }): ApiField => {
    return { name, place: place === "path" || place === "header" ? place : "query", type: typeText(one), isRequired: required };
  });
  const [status = "", good] = Object.entries(described.responses).find(([code]) => code.startsWith("2")) ?? [];
  const answered = Object.values(good?.content ?? {})[0]?.schema;
  return {
    id: described.operationId,
    method: method.toUpperCase(),
    path,
    summary: described.summary,
    fields: [...parameters, ...fieldsOf(body)],
    answer: { status, type: answered === undefined ? "" : typeText(answered), fields: fieldsOf(answered) },
    example: exampleLine(`${base}${path}`, method.toUpperCase(), body),
  };
}

function fieldsOf(object: JsonSchema | undefined): ApiField[] {
  const required = new Set(object?.required);
  return Object.entries(object?.properties ?? {}).map(([name, one]) => {
    return { name, place: "body", type: typeText(one), isRequired: required.has(name) };
  });
}

/** A schema in a few words: `string`, `"a" | "b"`, `integer[]`, `string | null`. */
export function typeText(one: JsonSchema): string {
  if (one.enum !== undefined) return one.enum.length > 8 ? "string" : one.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (one.const !== undefined) return JSON.stringify(one.const);
  if (one.anyOf !== undefined) return [...new Set(one.anyOf.map(typeText))].join(" | ");
  if (one.prefixItems !== undefined) return `[${one.prefixItems.map(typeText).join(", ")}]`;
  if (one.type === "array") {
    const item = typeof one.items === "object" ? typeText(one.items) : "any";
    return item.includes(" ") ? `(${item})[]` : `${item}[]`;
  }
  return Array.isArray(one.type) ? one.type.join(" | ") : (one.type ?? "any");
}

/** A value that the schema takes, for an example: what is needed and nothing else. */
export function exampleOf(name: string, one: JsonSchema): unknown {
  if (one.default !== undefined) return one.default;
  if (one.const !== undefined) return one.const;
  if (one.enum !== undefined) return one.enum[0];
  const [first] = one.anyOf ?? [];
  if (first !== undefined) return exampleOf(name, first);
  const type: string = (Array.isArray(one.type) ? one.type[0] : one.type) ?? "";
  switch (type) {
    case "integer":
    case "number":
      return Math.max(one.minimum ?? 1, 1);
    case "boolean":
      return true;
    case "array":
      return typeof one.items === "object"
        ? [exampleOf(name.replace(/s$/, ""), one.items)]
        : (one.prefixItems ?? []).map((item) => exampleOf(name, item));
    case "object":
      return Object.fromEntries((one.required ?? []).map((field) => [field, exampleOf(field, one.properties?.[field] ?? {})]));
    case "null":
      return null;
    default:
      return name.toUpperCase();
  }
}

function exampleLine(url: string, method: string, body: JsonSchema | undefined): string {
  const address = url.replace(/\{(\w+)\}/g, (_all, name: string) => name.toUpperCase());
  const lines = [`curl${method === "GET" ? "" : ` -X ${method}`} -H "Authorization: Bearer $FLOTILLA_TOKEN"`];
  const sent = body === undefined ? undefined : exampleOf("", { type: "object", ...body });
  if (sent !== undefined) lines.push(`-H 'Content-Type: application/json'`, `-d '${JSON.stringify(sent).replaceAll("'", "'\\''")}'`);
  return [...lines, address].join(" \\\n  ");
}
