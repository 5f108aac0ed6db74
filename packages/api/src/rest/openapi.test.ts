import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { listProcedures } from "../list-procedures.ts";
import { openApiDocument } from "./openapi.ts";
import { findProcedure, REST_ROUTES, TAGS, WITHOUT_REST } from "./routes.ts";

type AnswerOfList = { content: { "application/json": { schema: unknown } } };

const callable = listProcedures().filter(({ kind }) => kind !== "subscription");

describe("the table of routes", () => {
  test("every query and mutation has a route, or a reason why not", () => {
    const known = [...REST_ROUTES.keys(), ...Object.keys(WITHOUT_REST)].sort();
    // A new procedure: add a line to packages/api/src/rest/routes/.
    expect(known).toEqual(callable.map(({ path }) => path).sort());
  });

  test("no two procedures have the same method and path, whatever their parameters are called", () => {
    const taken = [...REST_ROUTES.values()].map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, "{}")}`);
    expect(new Set(taken).size).toBe(taken.length);
  });

  test("what only reads is GET, or POST when its input is not for an address; what changes is never GET", () => {
    for (const { path, kind } of callable) {
      const method = REST_ROUTES.get(path)?.method;
      if (method === undefined) continue;
      if (kind === "mutation") expect([path, method]).not.toEqual([path, "GET"]);
      else expect(["GET", "POST"]).toContain(method);
    }
  });

  test("every parameter of a path is a field of the procedure's input", () => {
    for (const [path, route] of REST_ROUTES) {
      const input = findProcedure(path)?.input;
      for (const [, name = ""] of route.path.matchAll(/\{(\w+)\}/g)) {
        const field = route.fields?.[name] ?? name;
        expect([path, field, input !== undefined && field in (input as unknown as { shape: object }).shape]).toEqual([path, field, true]);
      }
    }
  });

  test("every procedure has a tag", () => {
    for (const path of REST_ROUTES.keys()) expect(Object.keys(TAGS)).toContain(path.split(".")[0]);
  });
});

describe("the OpenAPI document", () => {
  test("it is a valid OpenAPI 3.1 document", async () => {
    const result = await new Validator().validate(JSON.parse(JSON.stringify(openApiDocument())) as Record<string, unknown>);
    expect(result).toMatchObject({ valid: true });
    expect(openApiDocument().openapi).toBe("3.1.1");
  });

  test("a secret is never part of an answer, but where it is shown once", () => {
    const withSecrets: string[] = [];
    for (const methods of Object.values(openApiDocument().paths)) {
      for (const operation of Object.values(methods)) {
        if (/"(password|token|secret|hash|sealed\w*|base64)":/.test(JSON.stringify(operation.responses)))
          withSecrets.push(operation.operationId);
      }
    }
    // The head of the audit's chain is a hash.
    expect(withSecrets.sort()).toEqual([
      "activity_verify",
      "hosts_joinTokens_create",
      "serviceAccounts_createToken",
      "tokens_create",
      "webhooks_create",
      "webhooks_rotate",
    ]);
  });

  test("a page of a bare list is an object with items and a cursor", () => {
    const responses = openApiDocument().paths["/hosts"]?.["get"]?.responses as Record<string, AnswerOfList> | undefined;
    const schema = responses?.["200"]?.content["application/json"].schema;
    expect(schema).toMatchObject({ type: "object", required: ["items", "nextCursor"], properties: { items: { type: "array" } } });
  });
});
