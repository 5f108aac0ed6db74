import { expect, test } from "vitest";
import { sparkPaths } from "./sparkline.ts";

const BOX = { width: 100, height: 20, max: 100 };

test("a line from the left to the right edge, high values at the top", () => {
  expect(sparkPaths([0, 50, 100], BOX)).toEqual(["M0 20L50 10L100 0"]);
});

test("a gap parts the line, and a lone value is a dash", () => {
  expect(sparkPaths([0, null, 50, 100, null], BOX)).toEqual(["M0 20L1.5 20", "M50 10L75 0"]);
  expect(sparkPaths([100], BOX)).toEqual(["M0 0L1.5 0"]);
});

test("values outside stay in the box, and nothing is nothing", () => {
  expect(sparkPaths([-5, 200], BOX)).toEqual(["M0 20L100 0"]);
  expect(sparkPaths([], BOX)).toEqual([]);
  expect(sparkPaths([null, null], BOX)).toEqual([]);
});
