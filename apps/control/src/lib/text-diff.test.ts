import { describe, expect, test } from "vitest";
import { diffFiles, diffTexts } from "./text-diff.ts";

describe("diffTexts", () => {
  test("numbers both sides and folds what is far from changes", () => {
    const before = Array.from({ length: 20 }, (_, index) => `line ${index + 1}\n`).join("");
    const rows = diffTexts(before, before.replace("line 10\n", "line ten\n"), 1);
    expect(rows).toEqual([
      { kind: "skipped", count: 8 },
      { kind: "same", before: 9, after: 9, text: "line 9" },
      { kind: "removed", before: 10, after: null, text: "line 10" },
      { kind: "added", before: null, after: 10, text: "line ten" },
      { kind: "same", before: 11, after: 11, text: "line 11" },
      { kind: "skipped", count: 9 },
    ]);
  });
  test("empty lines are lines", () => {
    expect(diffTexts("a\n", "a\n\nb\n").filter(({ kind }) => kind === "added")).toHaveLength(2);
  });
});

test("diffFiles names files that are new, gone or changed", () => {
  const found = diffFiles({ "a.yaml": "x\n", "b.env": "1\n", same: "s" }, { "a.yaml": "y\n", "c.env": "2\n", same: "s" });
  expect(found.map(({ name, rows }) => [name, rows.map(({ kind }) => kind).join()])).toEqual([
    ["a.yaml", "removed,added"],
    ["b.env", "removed"],
    ["c.env", "added"],
  ]);
});
