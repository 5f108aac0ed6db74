import { openApiDocument } from "@flotilla/api";
import { describe, expect, test } from "vitest";
import { exampleOf, openApi, readApiReference, searchApi, typeText } from "./api-reference.ts";

const groups = readApiReference(openApi.parse(openApiDocument()), "http://127.0.0.1:7420");
const all = groups.flatMap(({ operations }) => operations);
const find = (id: string) => all.find((operation) => operation.id === id);

describe("the reference of the whole API", () => {
  test("has every operation of the document once, under a tag", () => {
    const inDocument = Object.values(openApiDocument().paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(all.map(({ id }) => id).sort()).toEqual(inDocument.sort());
    expect(groups.every(({ tag }) => tag !== "")).toBe(true);
  });

  test("shows how a call is made that can be run as it is", () => {
    expect(find("hosts_list")?.example).toBe('curl -H "Authorization: Bearer $FLOTILLA_TOKEN" \\\n  http://127.0.0.1:7420/api/v1/hosts');
    expect(find("serviceAccounts_create")?.example).toBe(
      "curl -X POST -H \"Authorization: Bearer $FLOTILLA_TOKEN\" \\\n  -H 'Content-Type: application/json' \\\n" +
        `  -d '{"name":"NAME","role":"ROLE"}' \\\n  http://127.0.0.1:7420/api/v1/service-accounts`,
    );
    expect(find("webhooks_rotate")?.example).toContain("/webhooks/ID/rotate");
  });

  test("no example holds what a shell would take apart", () => {
    for (const { example } of all) expect(example.split("\n").filter((line) => (line.match(/'/g)?.length ?? 0) % 2 !== 0)).toEqual([]);
  });

  test("says where each field goes and whether it must be there", () => {
    expect(find("webhooks_deliveries")?.fields).toEqual(
      expect.arrayContaining([
        { name: "id", place: "path", type: "string", isRequired: true },
        { name: "cursor", place: "query", type: "string", isRequired: false },
      ]),
    );
    expect(find("webhooks_create")?.fields).toContainEqual({ name: "events", place: "body", type: "string[]", isRequired: true });
    expect(find("webhooks_create")?.answer).toMatchObject({ status: "201", fields: [{ name: "id" }, { name: "secret" }] });
    expect(find("webhooks_remove")?.answer).toEqual({ status: "204", type: "", fields: [] });
  });
});

test("the search looks at method, path and sentence, for all words", () => {
  const found = searchApi(groups, " post WEBHOOKS test ").flatMap(({ operations }) => operations.map(({ id }) => id));
  expect(found).toEqual(["webhooks_test"]);
  expect(searchApi(groups, "")).toEqual(groups);
  expect(searchApi(groups, "nothing like that")).toEqual([]);
});

test.each([
  [{ type: "string" }, "string", "NAME"],
  [{ enum: ["a", "b"] }, '"a" | "b"', "a"],
  [{ type: "integer", minimum: 5 }, "integer", 5],
  [{ type: "boolean" }, "boolean", true],
  [{ type: "array", items: { type: "string" } }, "string[]", ["NAME"]],
  [{ type: "array", items: { anyOf: [{ type: "string" }, { type: "null" }] } }, "(string | null)[]", ["NAME"]],
  [{ anyOf: [{ type: "string" }, { type: "null" }] }, "string | null", "NAME"],
  [{ const: true }, "true", true],
  [{ type: ["string", "null"] }, "string | null", "NAME"],
  [{ type: "integer", default: 90 }, "integer", 90],
  [{ type: "array", prefixItems: [{ type: "integer" }, { type: "integer" }], items: false }, "[integer, integer]", [1, 1]],
  [{}, "any", "NAME"],
])("%j is shown as %s", (one, text, example) => {
  expect(typeText(one)).toBe(text);
  expect(exampleOf("name", one)).toEqual(example);
});
