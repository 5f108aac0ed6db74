import { describe, expect, test } from "vitest";
import { appendLines, findMatches, type LogInput, markRanges } from "./log-buffer.ts";

const line = (text: string): LogInput => ({ stream: "stdout", time: "2026-01-01T00:00:00Z", text });

test("the buffer keeps the newest lines and their identity", () => {
  const first = appendLines([], [line("a"), line("b")], 3);
  const second = appendLines(first, [line("c"), line("d")], 3);
  expect(second.map(({ id, text }) => [id, text])).toEqual([
    [1, "b"],
    [2, "c"],
    [3, "d"],
  ]);
});

describe("findMatches", () => {
  test("ignores case and does not overlap", () => {
    expect(findMatches("AaAa", "aa")).toEqual([
      { from: 0, to: 2 },
      { from: 2, to: 4 },
    ]);
  });
  test("an empty search matches nothing", () => expect(findMatches("abc", "")).toEqual([]));
});

describe("markRanges", () => {
  test("cuts the text around matches", () => {
    expect(markRanges("an error here", 0, findMatches("an error here", "error"))).toEqual([
      { text: "an ", isMatch: false },
      { text: "error", isMatch: true },
      { text: " here", isMatch: false },
    ]);
  });
  test("a match over two coloured spans is marked in both", () => {
    const ranges = findMatches("error", "rro");
    expect(markRanges("er", 0, ranges)).toEqual([
      { text: "e", isMatch: false },
      { text: "r", isMatch: true },
    ]);
    expect(markRanges("ror", 2, ranges)).toEqual([
      { text: "ro", isMatch: true },
      { text: "r", isMatch: false },
    ]);
  });
});
