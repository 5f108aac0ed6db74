import { expect, test } from "vitest";
import { parseContainerName, randomName } from "./names.ts";

test.each(["web", "/web", "a1", "A_b.c-d"])("%s is a name", (name) => {
  expect(parseContainerName(name)).toBe(name.replace("/", ""));
});

test.each(["", "/", "a", "_a", "-a", "a b", "a/b", "ä1", "a\n", "a".repeat(300)])("%j is none", (name) => {
  expect(() => parseContainerName(name)).toThrow("only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
});

test("random names are names, and a second attempt adds digits", () => {
  expect(randomName(0, () => 0)).toBe("able_abel");
  expect(parseContainerName(randomName(0, () => 0.999_999))).toMatch(/^[a-z]+_[a-z]+$/);
  expect(randomName(2, () => 0.5)).toMatch(/^[a-z]+_[a-z]+50$/);
});
