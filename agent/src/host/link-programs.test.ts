import { expect, test } from "vitest";
import { isAtLeast } from "./link-programs.ts";

test.each([
  ["6.8.0-31-generic", true],
  ["6.12.9", true],
  ["7.0.0", true],
  ["6.1.0-28-cloud-amd64", false],
  ["5.10.0", false],
  ["unknown", false],
])("a kernel %s is 6.8 or later: %s", (release, expected) => {
  expect(isAtLeast(release, [6, 8])).toBe(expected);
});
