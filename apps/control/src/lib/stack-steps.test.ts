import { expect, test } from "vitest";
import { mergeSteps } from "./stack-steps.ts";

test("mergeSteps keeps each step once, oldest first", () => {
  const steps = mergeSteps([{ id: "0192-b" }, { id: "0192-a" }], [{ id: "0192-b" }, { id: "0193-a" }]);
  expect(steps.map(({ id }) => id)).toEqual(["0192-a", "0192-b", "0193-a"]);
  expect(mergeSteps([], [])).toEqual([]);
});
