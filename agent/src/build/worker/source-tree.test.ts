import { describe, expect, test } from "vitest";
import { ContextIndex, type IndexEntry } from "./context-index.ts";
import { planSources } from "./plan-items.ts";
import { findSources, resolveInTree } from "./source-tree.ts";

const ENTRIES: IndexEntry[] = [
  ["a.txt", "file", "1", ""],
  ["b.txt", "file", "2", ""],
  ["dir", "directory", "d", ""],
  ["dir/one.txt", "file", "3", ""],
  ["dir/deep", "directory", "d", ""],
  ["dir/deep/two.txt", "file", "4", ""],
  ["link", "symlink", "l", "dir/deep"],
  ["out", "symlink", "l", "/../../a.txt"],
  ["loop", "symlink", "l", "loop"],
  ["dangling", "symlink", "l", "nowhere"],
];
const tree = new ContextIndex(ENTRIES);
const paths = (source: string): string[] => findSources(tree, source).map(({ path }) => path);

describe("findSources", () => {
  test.each([
    ["a.txt", ["a.txt"]],
    ["./dir//one.txt", ["dir/one.txt"]],
    ["*.txt", ["a.txt", "b.txt"]],
    ["*/*.txt", ["dir/one.txt", "link/two.txt"]],
    ["**/*.txt", ["a.txt", "b.txt", "dir/one.txt", "dir/deep/two.txt"]],
    ["[ab].txt", ["a.txt", "b.txt"]],
    ["?.txt", ["a.txt", "b.txt"]],
    [".", [""]],
    ["missing", []],
    ["dangling", []],
  ])("%s means %j", (source, expected) => {
    expect(paths(source)).toEqual(expected);
  });
});

describe("resolveInTree", () => {
  test("follows links inside the tree, absolute ones and those that climb too", () => {
    expect(resolveInTree(tree, "link/two.txt")).toEqual({ path: "dir/deep/two.txt", type: "file" });
    expect(resolveInTree(tree, "out")).toEqual({ path: "a.txt", type: "file" });
    expect(resolveInTree(tree, "../../../a.txt")).toEqual({ path: "a.txt", type: "file" });
  });

  test("finds nothing at the end of a loop of links", () => {
    expect(resolveInTree(tree, "loop")).toBeUndefined();
  });
});

describe("planSources", () => {
  const missing = (source: string): string => `no ${source}`;

  test("a file keeps its name, of a directory the content is meant, a link is what it leads to under its own name", () => {
    expect(planSources(tree, ["a.txt", "dir", "out"], { keepsParents: false, missing })).toEqual([
      { path: "a.txt", name: "a.txt", type: "file" },
      { path: "dir", name: "", type: "directory" },
      { path: "a.txt", name: "out", type: "file" },
    ]);
  });

  test("--parents keeps the way, from behind a pivot", () => {
    const options = { keepsParents: true, missing };
    expect(planSources(tree, ["dir/deep/two.txt"], options)).toMatchObject([{ name: "dir/deep/two.txt" }]);
    expect(planSources(tree, ["dir/./deep/two.txt"], options)).toMatchObject([{ name: "deep/two.txt" }]);
  });

  test("what is not there is an error when it is named, and nothing when it is a pattern", () => {
    expect(() => planSources(tree, ["nope"], { keepsParents: false, missing })).toThrow("no nope");
    expect(planSources(tree, ["nope*"], { keepsParents: false, missing })).toEqual([]);
  });
});

test("an index without what is ignored still shows the directory of a file that is not", () => {
  const index = new ContextIndex(ENTRIES, (path) => path === "dir" || path === "dir/one.txt");
  expect(index.children("dir")).toEqual(["deep"]);
  expect(index.typeOf("dir")).toBe("directory");
});
