import { describe, expect, test } from "vitest";
import { API_VERSION_MAX, API_VERSION_MIN, compareApiVersions, formatApiVersion, isApiAtLeast, parseApiVersion } from "./versions.ts";

describe("API versions", () => {
  test("minors are numbers, not texts", () => {
    expect(compareApiVersions([1, 9], [1, 41])).toBeLessThan(0);
    expect(compareApiVersions([2, 0], [1, 99])).toBeGreaterThan(0);
    expect(compareApiVersions(API_VERSION_MIN, API_VERSION_MAX)).toBeLessThan(0);
  });

  test.each([["1"], ["1."], ["v1.41"], ["1.41.0"], ["1.x"], ["99999.1"], [""]])("%j is no version", (text) => {
    expect(parseApiVersion(text)).toBeUndefined();
  });

  test("a version is read and written alike", () => {
    expect(parseApiVersion("1.47")).toEqual([1, 47]);
    expect(formatApiVersion([1, 47])).toBe("1.47");
    expect([isApiAtLeast([1, 42], 42), isApiAtLeast([1, 41], 42)]).toEqual([true, false]);
  });
});
