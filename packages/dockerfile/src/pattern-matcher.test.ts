import { describe, expect, test } from "vitest";
import { parseIgnoreFile, PatternMatcher } from "./index.ts";

const matches = (patterns: string[], path: string): boolean => new PatternMatcher(patterns).matches(path);

describe("PatternMatcher", () => {
  test.each([
    ["**", "file", true],
    ["**", "dir/file", true],
    ["**/", "file", true],
    ["**/**", "dir/file", true],
    ["dir/**", "dir", false],
    ["dir/**", "dir/file", true],
    ["dir/**", "dir/dir2/file.txt", true],
    ["**/dir", "dir/file", true],
    ["**/dir2/*", "dir/dir2/file", true],
    ["**/dir2/*", "dir/dir2/dir3/file", true],
    ["**/dir2/**", "dir/dir2/dir2/file", true],
    ["**file", "file", true],
    ["**file", "dir/file", true],
    ["**/file", "dir/dir/file", true],
    ["**/file*", "dir/dir/file.txt", true],
    ["**/file*txt", "dir/dir/file.txt", true],
    ["**/file*.txt*", "dir/dir/file.txt", true],
    ["**/*.txt", "dir/file.txt2", false],
    ["**/**/*.txt", "dir/dir/file.txt", true],
    ["a**/*.txt", "a/dir/file.txt", true],
    ["a**/*.txt", "a/file.txt", true],
    ["a/*.txt", "a/dir/file.txt", false],
    ["a/*.txt", "a/file.txt", true],
    ["a[b-d]e", "ae", false],
    ["a[b-d]e", "ace", true],
    ["a[^b-d]e", "aze", true],
    ["a[^b-d]e", "a/e", false],
    [".*", ".foo", true],
    [".*", "foo", false],
    ["abc.def", "abcdef", false],
    ["abc?def", "abcZdef", true],
    ["abc?def", "abc/def", false],
    ["a\\*b", "a*b", true],
    ["a\\*b", "axb", false],
    ["*", "a/b", true],
    ["./bin", "bin/x", true],
    ["a/../b", "b", true],
    ["+(x)", "+(x)", true],
    ["ü?", "üß", true],
  ])("%s against %s is %s", (pattern, path, expected) => expect(matches([pattern], path)).toBe(expected));

  test.each([
    [["*.md", "!README*.md"], "README-x.md", false],
    [["*.md", "!README*.md", "README-secret.md"], "README-secret.md", true],
    [["*.md", "README-secret.md", "!README*.md"], "README-secret.md", false],
    [["dir", "!dir/keep"], "dir/keep", false],
    [["dir", "!dir/keep"], "dir/keep/below", false],
    [["dir", "!dir/keep"], "dir/other", true],
    [["!x"], "x", false],
  ])("the last pattern that matches decides: %j, %s", (patterns, path, expected) => expect(matches(patterns, path)).toBe(expected));

  test.each([["!"], ["["], ["a["], ["[]a]"], ["[-x]"], ["a\\"]])("%s is malformed", (pattern) => {
    expect(() => new PatternMatcher([pattern])).toThrow(/pattern/);
  });

  test("a walk skips a directory only when nothing below it can be taken back", () => {
    expect(new PatternMatcher(["node_modules"]).canSkipDirectory("node_modules")).toBe(true);
    expect(new PatternMatcher(["a", "!a/b/keep"]).canSkipDirectory("a")).toBe(false);
    expect(new PatternMatcher(["a", "!a/b/keep"]).canSkipDirectory("a/c")).toBe(true);
    expect(new PatternMatcher(["a", "!**/keep"]).canSkipDirectory("a")).toBe(false);
    expect(new PatternMatcher(["a", "!b/*"]).canSkipDirectory("a")).toBe(true);
    expect(new PatternMatcher(["x"]).canSkipDirectory("a")).toBe(false);
  });

  test("a pattern of many wildcards takes no exponential time", () => {
    expect(matches(["**/a*".repeat(60) + "b"], "a/".repeat(1500) + "c")).toBe(false);
  });
});

test("an ignore file's comments, spaces and slashes are read as Docker reads them", () => {
  expect(parseIgnoreFile("\uFEFF# comment\n\n  a/./b/ \r\n/abs\n ! x/../y \n  # not a comment\n!\n")).toEqual([
    "a/b",
    "abs",
    "!y",
    "# not a comment",
    "!",
  ]);
});
