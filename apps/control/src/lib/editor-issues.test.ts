import { expect, test } from "vitest";
import { issueRange } from "./editor-issues.ts";

const TEXT = "services:\n  web:\n    imgae: nginx\n";
const marked = (line: number, column: number): string => {
  const { from, to } = issueRange(TEXT, { line, column });
  return TEXT.slice(from, to);
};

test("underlines the word at the place", () => {
  expect(marked(3, 5)).toBe("imgae");
  expect(marked(1, 1)).toBe("services");
});

test("a place that is not there any more is brought into the text", () => {
  expect(issueRange(TEXT, { line: 99, column: 99 })).toEqual({ from: TEXT.length, to: TEXT.length });
  expect(marked(2, 99)).toBe(":");
  expect(issueRange("", { line: 1, column: 1 })).toEqual({ from: 0, to: 0 });
});
