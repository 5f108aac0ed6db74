import { fieldsOf, type JsonSchema, toJsonSchema } from "./json-schema.ts";
import { pathParameters } from "./match.ts";
import { DEFAULT_LIMIT, MAX_LIMIT } from "./paginate.ts";
import { problemSchema } from "./problem.ts";
import type { RestRoute } from "./route.ts";
import { findProcedure, REST_ROUTES, TAGS } from "./routes.ts";

export type OpenApiDocument = {
  openapi: "3.1.1";
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  security: Record<string, string[]>[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, JsonSchema>; securitySchemes: Record<string, unknown>; responses: Record<string, unknown> };
};

export type Operation = {
  operationId: string;
  summary: string;
  tags: string[];
  parameters: Parameter[];
  requestBody?: { required: boolean; content: { "application/json": { schema: JsonSchema } } };
  responses: Record<string, unknown>;
  security?: Record<string, string[]>[];
};

type Parameter = { name: string; in: "path" | "query" | "header"; required: boolean; schema: JsonSchema; description?: string };

const DESCRIPTION = `The procedures of the dashboard, by HTTP. Send an API token as \`Authorization: Bearer flt_…\`.
Errors are problem details (RFC 9457). Lists come in pages: \`limit\` and \`cursor\`, the next page in \`Link\` and \`nextCursor\`.
A changing call with an \`Idempotency-Key\` is done once in 24 hours: sent again it gets the same answer, with another body 422.
Logs, figures and events that go on are WebSockets of the dashboard, or the Docker API at \`/docker/{host}\`.`;

let document: OpenApiDocument | undefined;

/** The OpenAPI 3.1 document of every route, made once. */
export function openApiDocument(): OpenApiDocument {
  document ??= makeDocument();
  return document;
}

function makeDocument(): OpenApiDocument {
  const paths: OpenApiDocument["paths"] = {};
  for (const [procedure, route] of REST_ROUTES) (paths[route.path] ??= {})[route.method.toLowerCase()] = describe(procedure, route);
  paths["/audit/export"] = { get: EXPORT };
  return {
    openapi: "3.1.1",
    info: { title: "Flotilla", version: "1", description: DESCRIPTION },
    servers: [{ url: "/api/v1" }],
    security: [{ token: [] }],
    tags: [...new Set(Object.values(TAGS))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: toJsonSchema(problemSchema, "output") },
      securitySchemes: { token: { type: "http", scheme: "bearer", description: "an API token, flt_…" } },
      responses: {
        Problem: {
          description: "A problem (RFC 9457)",
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
    },
  };
}

function describe(path: string, route: RestRoute): Operation {
  const procedure = findProcedure(path);
  const { properties, required } = fieldsOf(procedure?.input);
  const inPath = pathParameters(route.path);
  const named = new Map(inPath.map((name) => [route.fields?.[name] ?? name, name]));
  const parameters: Parameter[] = [...named].map(([field, name]) => {
    return { name, in: "path", required: true, schema: properties[field] ?? { type: "string" } };
  });
  const others = Object.entries(properties).filter(([field]) => !named.has(field));
  const isQuery = route.method === "GET" || route.method === "DELETE";
  if (isQuery)
    parameters.push(...others.map(([name, schema]) => ({ name, in: "query" as const, required: required.includes(name), schema })));
  if (typeof route.list === "function") parameters.push(...PAGING);
  if (route.method !== "GET") parameters.push(KEY);
  const [tag] = path.split(".");
  const body =
    isQuery || others.length === 0
      ? undefined
      : { properties: Object.fromEntries(others), required: required.filter((field) => !named.has(field)) };
  return {
    operationId: path.replaceAll(".", "_"),
    summary: route.summary,
    tags: [TAGS[tag ?? ""] ?? "Other"],
    parameters,
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.required.length > 0,
            content: { "application/json": { schema: { type: "object", ...body, additionalProperties: false } } },
          },
        }),
    responses: { ...success(route), default: { $ref: "#/components/responses/Problem" } },
    ...(tag === "setup" ? { security: [] } : {}),
  };
}

const PAGING: readonly Parameter[] = [
  { name: "limit", in: "query", required: false, schema: { type: "integer", minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT } },
  { name: "cursor", in: "query", required: false, schema: { type: "string" }, description: "`nextCursor` of the page before" },
];

const KEY: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  schema: { type: "string", minLength: 1, maxLength: 255 },
};

function success(route: RestRoute): Record<string, unknown> {
  const schema = answerSchema(route);
  const isEmpty = schema.type === "object" && Object.keys(schema.properties ?? {}).length === 0 && route.method !== "GET";
  if (isEmpty && route.isCreation !== true) return { 204: { description: "Done" } };
  const link = { Link: { description: 'the next page, `rel="next"`', schema: { type: "string" } } };
  const headers = route.list === undefined ? {} : { headers: link };
  return {
    [route.isCreation === true ? 201 : 200]: {
      description: route.isCreation === true ? "Made" : "The answer",
      ...headers,
      content: { "application/json": { schema } },
    },
  };
}

/** A list that the procedure answers bare is a page in REST. */
function answerSchema(route: RestRoute): JsonSchema {
  const schema = toJsonSchema(route.output, "output");
  if (typeof route.list !== "function") return schema;
  const nextCursor = { anyOf: [{ type: "string" }, { type: "null" }] };
  const page = schema.type === "array" ? { type: "object", properties: { items: schema }, required: ["items"] } : schema;
  return { ...page, properties: { ...page.properties, nextCursor }, required: [...(page.required ?? []), "nextCursor"] };
}

const EXPORT: Operation = {
  operationId: "activity_export",
  summary: "The audit as JSON lines in the order of its chain",
  tags: ["Audit"],
  parameters: ["search", "actor", "action", "objectKind", "object", "outcome", "scope", "from", "to"].map((name) => {
    return { name, in: "query", required: false, schema: { type: "string" } };
  }),
  responses: {
    200: { description: "One JSON object a line", content: { "application/jsonl": { schema: { type: "string" } } } },
    default: { $ref: "#/components/responses/Problem" },
  },
};
