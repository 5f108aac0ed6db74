import { describe, expect, test } from "vitest";
import { queryBoolean, queryInteger, queryTimestampNano } from "./query.ts";

const query = (value: string): URLSearchParams => new URLSearchParams({ x: value });

describe("query parameters", () => {
  test.each([
    ["1", true],
    ["true", true],
    ["anything", true],
    ["0", false],
    ["no", false],
    ["False", false],
    ["none", false],
    ["", false],
  ])("%j is %s", (value, expected) => {
    expect(queryBoolean(query(value), "x")).toBe(expected);
  });

  test("a missing boolean is the fallback", () => {
    expect(queryBoolean(new URLSearchParams(), "x", true)).toBe(true);
  });

  test("integers are whole or refused", () => {
    expect([queryInteger(query("-1"), "x"), queryInteger(query(""), "x")]).toEqual([-1, undefined]);
    expect(() => queryInteger(query("1.5"), "x")).toThrow("not a whole number");
    expect(() => queryInteger(query("1e3"), "x")).toThrow("not a whole number");
  });
});

describe("times", () => {
  test.each<[string, bigint | undefined]>([
    ["", undefined],
    ["0", undefined],
    ["1700000000", 1_700_000_000_000_000_000n],
    ["1700000000.5", 1_700_000_000_500_000_000n],
    ["1700000000.000000001", 1_700_000_000_000_000_001n],
    ["2023-11-14T22:13:20Z", 1_700_000_000_000_000_000n],
    ["2023-11-14T23:13:20.123456789+01:00", 1_700_000_000_123_456_789n],
  ])("%j is read", (value, expected) => {
    expect(queryTimestampNano(query(value), "x")).toBe(expected);
  });

  test.each([["yesterday"], ["12:00"], ["2023-11-14"], ["1e9"]])("%j is refused", (value) => {
    expect(() => queryTimestampNano(query(value), "x")).toThrow(expect.objectContaining({ code: "invalid" }));
  });
});
