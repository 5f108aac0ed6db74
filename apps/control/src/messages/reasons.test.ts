import { REASON_CODES } from "@flotilla/services";
import { expect, test } from "vitest";
import en from "./en.json" with { type: "json" };
import zh from "./zh.json" with { type: "json" };

test.each([
  ["English", en],
  ["Chinese", zh],
])("every reason of the planner has words in %s", (_language, { stacks }) => {
  expect(REASON_CODES.filter((code) => code !== "text" && !Object.hasOwn(stacks.reasons, code))).toEqual([]);
});
