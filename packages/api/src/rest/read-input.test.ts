import { describe, expect, test } from "vitest";
import { z } from "zod";
import { readInput } from "./read-input.ts";
import type { RestMethod, RestRoute } from "./route.ts";

const schema = z.object({
  host: z.string(),
  force: z.boolean().default(false),
  revision: z.int().min(1).optional(),
  limitBytes: z.int().nullable().optional(),
  aliases: z.array(z.string()).default([]),
  when: z.union([z.string(), z.number()]).optional(),
});

function read(
  method: RestMethod,
  more: { query?: string; body?: unknown; parameters?: Record<string, string>; list?: true } = {},
): unknown {
  const route: RestRoute = { method, path: "/x", summary: "", output: z.object({}), ...(more.list === true ? { list: () => "" } : {}) };
  return readInput(route, schema, { parameters: more.parameters ?? {}, search: new URLSearchParams(more.query ?? ""), body: more.body });
}

describe("readInput", () => {
  test("texts of an address become what the schema says", () => {
    expect(read("GET", { parameters: { host: "7" }, query: "force=true&revision=3&aliases=a&aliases=b&when=5" })).toEqual({
      host: "7",
      force: true,
      revision: 3,
      aliases: ["a", "b"],
      when: "5",
    });
    expect(read("DELETE", { query: "limitBytes=null" })).toEqual({ limitBytes: null });
  });

  test("what is no number or boolean stays a text, for the schema to refuse", () => {
    expect(read("GET", { query: "revision=1e9&force=yes&limitBytes=0x10" })).toEqual({ revision: "1e9", force: "yes", limitBytes: "0x10" });
  });

  test("a body is taken as it is, with the path beside it", () => {
    expect(read("POST", { parameters: { host: "a" }, body: { force: true } })).toEqual({ host: "a", force: true });
    expect(read("POST", { parameters: { host: "a" } })).toEqual({ host: "a" });
  });

  test.each([
    [{ query: "nothing=1" }, "GET", "nothing: is not a parameter of this call"],
    [{ query: "__proto__=1" }, "GET", "__proto__: is not a parameter of this call"],
    [{ query: "force=true&force=false" }, "GET", "force: is given 2 times"],
    [{ query: "limit=1" }, "GET", "limit: is not a parameter of this call"],
    [{ query: "force=true" }, "POST", "this call takes no query: put it into the body"],
    [{ body: [1] }, "POST", "the body must be a JSON object"],
    [{ body: null }, "POST", "the body must be a JSON object"],
    [{ body: { nothing: 1 } }, "POST", "nothing: is not a field of this call"],
    [{ body: { host: "b" }, parameters: { host: "a" } }, "POST", "host: is in the path already"],
    [{ query: "host=b", parameters: { host: "a" } }, "GET", "host: is in the path already"],
  ] as const)("%j by %s is refused", (given, method, message) => {
    expect(() => read(method, given)).toThrow(message);
  });

  test("a list takes limit and cursor, and does not hand them on", () => {
    expect(read("GET", { query: "limit=1&cursor=x&host=a", list: true })).toEqual({ host: "a" });
  });

  test("a procedure without an input gets none", () => {
    const route: RestRoute = { method: "GET", path: "/x", summary: "", output: z.object({}) };
    expect(readInput(route, z.void(), { parameters: {}, search: new URLSearchParams(), body: undefined })).toBeUndefined();
  });
});
