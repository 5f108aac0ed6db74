import { z } from "zod";

/** What the document and the readers of requests need of a JSON Schema (2020-12). */
export type JsonSchema = {
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  [key: string]: unknown;
};

/** The schema of what a client sends (`input`) or gets (`output`). Refinements that JSON Schema cannot say are left to the server. */
export function toJsonSchema(schema: z.ZodType, io: "input" | "output"): JsonSchema {
  const { $schema: _, ...made } = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as JsonSchema;
  return made;
}

/** Fields of an object's schema; none of anything else. */
export function fieldsOf(schema: z.ZodType | undefined): { properties: Record<string, JsonSchema>; required: string[] } {
  if (schema === undefined) return { properties: {}, required: [] };
  const { properties = {}, required = [] } = toJsonSchema(schema, "input");
  return { properties, required };
}

/** Types that a value may have, also through alternatives. */
export function typesOf(schema: JsonSchema | undefined): ReadonlySet<string> {
  if (schema === undefined) return new Set();
  const own = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  return new Set([...own, ...(schema.anyOf ?? []).flatMap((alternative) => [...typesOf(alternative)])]);
}
