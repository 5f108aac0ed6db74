import { describe, expect, test } from "vitest";
import { booleanFilter, formatFilters, matchesLabels, parseFilters } from "./filters.ts";

describe("parseFilters", () => {
  test.each([
    ["of Go clients", '{"label":{"a=b":true,"c":true}}'],
    ["of docker-py", '{"label":["a=b","c"]}'],
  ])("the encoding %s is understood", (_name, query) => {
    expect([...parseFilters(query, ["label"])]).toEqual([["label", ["a=b", "c"]]]);
  });

  test.each([[null], [undefined], [""], ["{}"], ['{"label":[]}'], ['{"label":{"a":false}}']])("%j is no filter at all", (query) => {
    expect(parseFilters(query, ["label"]).size).toBe(0);
  });

  test("an unknown key is refused in Docker's words", () => {
    expect(() => parseFilters('{"colour":["red"]}', ["label"])).toThrow("invalid filter 'colour'");
  });

  test.each([["{"], ["[]"], ["1"], ['{"label":"a"}'], ['{"label":{"a":1}}'], ["nonsense"]])("%j is refused as invalid", (query) => {
    expect(() => parseFilters(query, ["label"])).toThrow(expect.objectContaining({ code: "invalid" }));
  });

  test("a key named like a member of Object is a key and nothing more", () => {
    expect(() => parseFilters('{"constructor":["x"]}', ["label"])).toThrow("invalid filter 'constructor'");
  });

  test("what is formatted is parsed again to the same", () => {
    const filters = parseFilters('{"label":["a=b"],"name":["x","y"]}', ["label", "name"]);
    expect(parseFilters(formatFilters(filters), ["label", "name"])).toEqual(filters);
  });
});

describe("matchesLabels", () => {
  const labels = { env: "prod", empty: "", "a.b": "x=y" };

  test.each([
    [["env"], true],
    [["env=prod"], true],
    [["env=dev"], false],
    [["env", "missing"], false],
    [["empty="], true],
    [["a.b=x=y"], true],
    [["toString"], false],
    [[], true],
  ])("%j on the labels gives %s", (wanted, expected) => {
    expect(matchesLabels(labels, wanted)).toBe(expected);
  });
});

describe("booleanFilter", () => {
  const read = (value: string): boolean =>
    booleanFilter(parseFilters(JSON.stringify({ dangling: [value] }), ["dangling"]), "dangling", false);

  test("0, 1, true and false are booleans, and nothing is the fallback", () => {
    expect([read("1"), read("true"), read("0"), read("false")]).toEqual([true, true, false, false]);
    expect(booleanFilter(new Map(), "dangling", true)).toBe(true);
  });

  test("anything else is refused", () => {
    expect(() => read("maybe")).toThrow("invalid filter 'dangling=[maybe]'");
  });
});
