import { describe, expect, test } from "vitest";
import { readListCall } from "./list-door.ts";

const BASE = "/api/trpc/";
const read = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  readListCall({ method, url: `${BASE}${path}`, headers }, BASE);
const query = (input: unknown): string => encodeURIComponent(JSON.stringify(input));

describe("calls for a long list", () => {
  test("alone, with its input or without one", () => {
    expect(read(`containers.list?input=${query({ host: "h1" })}`)).toEqual({
      paths: ["containers.list"],
      inputs: [{ host: "h1" }],
      isBatch: false,
    });
    expect(read("containers.list")).toEqual({ paths: ["containers.list"], inputs: [undefined], isBatch: false });
  });

  test("in a batch of queries, each with its input", () => {
    const input = query({ 0: {}, 2: { host: "h1" } });
    expect(read(`containers.list,me.get,images.list?batch=1&input=${input}`)).toEqual({
      paths: ["containers.list", "me.get", "images.list"],
      inputs: [{}, undefined, { host: "h1" }],
      isBatch: true,
    });
    expect(read("containers.list?batch=1")).toEqual({ paths: ["containers.list"], inputs: [undefined], isBatch: true });
  });

  test.each([
    ["of something else", "me.get"],
    ["with what changes something", "containers.list,containers.run?batch=1"],
    ["with what there is not", "containers.list,no.such?batch=1"],
    ["of two without a batch", "containers.list,me.get"],
    ["whose input is no JSON", "containers.list?input=%7B"],
    ["whose input is no object", "containers.list?input=1"],
    ["whose batch is none", "containers.list?batch=1&input=null"],
  ])("%s are the library's", (_what, path) => {
    expect(read(path)).toBeUndefined();
  });

  test("by another method, and for a stream of answers, are the library's", () => {
    expect(read("containers.list", {}, "POST")).toBeUndefined();
    expect(read("containers.list", {}, "HEAD")).toBeUndefined();
    expect(read("containers.list", { "trpc-accept": "application/jsonl" })).toBeUndefined();
    expect(read("containers.list", { accept: "application/jsonl" })).toBeUndefined();
    expect(readListCall({ method: "GET", url: "/other/containers.list", headers: {} }, BASE)).toBeUndefined();
  });
});
