import { expect, test } from "vitest";
import { oneOf, withParams } from "./url-state.ts";

test("values are set, empty ones are taken out, others stay", () => {
  expect(withParams("?q=web&tab=logs", { q: "", state: "running" })).toBe("?tab=logs&state=running");
  expect(withParams("?q=web", { q: null })).toBe("");
});

test("an unknown value becomes the default", () => {
  expect(oneOf("b", ["a", "b"])).toBe("b");
  expect(oneOf("x", ["a", "b"])).toBe("a");
});
