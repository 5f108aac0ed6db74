import { describe, expect, test } from "vitest";
import { hasNul } from "./has-nul.ts";

describe("a NUL in what is asked", () => {
  test.each(["\0", "a\0b", ["a", { b: ["\0"] }], { "a\0": 1 }, { a: { b: { c: "x\0" } } }])("%j has one", (document) =>
    expect(hasNul(document)).toBe(true),
  );

  test("however deep it lies", () => {
    let document: unknown = "\0";
    for (let depth = 0; depth < 200_000; depth += 1) document = [document, undefined];
    expect(hasNul(document)).toBe(true);
    expect(hasNul([undefined, undefined, "\0"])).toBe(true);
  });

  test.each([undefined, null, 0, true, "", "\\u0000", { a: ["b", 1, null] }, []])("%j has none", (document) =>
    expect(hasNul(document)).toBe(false),
  );
});
