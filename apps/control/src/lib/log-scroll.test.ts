import { expect, test } from "vitest";
import { readLogScroll } from "./log-scroll.ts";

test.each([
  ["at the end", { top: 900, topBefore: 500, height: 1_300, visibleHeight: 400 }, "end"],
  ["a line above the end", { top: 880, topBefore: 900, height: 1_300, visibleHeight: 400 }, "end"],
  ["up", { top: 700, topBefore: 900, height: 1_300, visibleHeight: 400 }, "away"],
  ["to the end that was, while more came in", { top: 900, topBefore: 500, height: 4_000, visibleHeight: 400 }, "neither"],
  ["nowhere, while more came in", { top: 900, topBefore: 900, height: 4_000, visibleHeight: 400 }, "neither"],
  ["down, but not to the end", { top: 500, topBefore: 300, height: 1_300, visibleHeight: 400 }, "neither"],
  ["a log that is no longer than its view", { top: 0, topBefore: 0, height: 400, visibleHeight: 400 }, "end"],
] as const)("%s", (_name, scroll, expected) => expect(readLogScroll(scroll)).toBe(expected));
