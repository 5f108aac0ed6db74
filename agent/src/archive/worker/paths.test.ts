import { describe, expect, test } from "vitest";
import { baseOf, cleanEntryName, parentOf } from "./paths.ts";
import { goMode, parseClientPath } from "./stat-path.ts";

describe("names of archive entries", () => {
  test.each([
    ["etc/passwd", "etc/passwd"],
    ["/etc/passwd", "etc/passwd"],
    ["./etc//./passwd/", "etc/passwd"],
    ["a/b/../c", "a/c"],
    ["./", ""],
    ["a/..", ""],
    ["...", "..."],
  ])("%s is %s", (name, clean) => {
    expect(cleanEntryName(name)).toBe(clean);
  });

  test.each(["..", "../a", "/../a", "a/../../b", "./../.."])("%s is outside", (name) => {
    expect(() => cleanEntryName(name)).toThrow("outside of the root of extraction");
  });

  test("a NUL is refused", () => {
    expect(() => cleanEntryName("a\0b")).toThrow("NUL");
  });

  test("have a parent and a base", () => {
    expect([parentOf("a/b/c"), parentOf("a"), baseOf("a/b"), baseOf("a")]).toEqual(["a/b", "", "b", "a"]);
  });
});

describe("paths of clients", () => {
  test.each([
    ["/etc/", { path: "/etc", base: "etc", isFollowed: true }],
    ["/etc/.", { path: "/etc", base: ".", isFollowed: true }],
    ["etc", { path: "/etc", base: "etc", isFollowed: false }],
    ["/../../x", { path: "/x", base: "x", isFollowed: false }],
    ["/", { path: "/", base: "/", isFollowed: true }],
    ["/a.", { path: "/a.", base: "a.", isFollowed: false }],
  ])("%s", (text, expected) => {
    expect(parseClientPath(text)).toEqual(expected);
  });

  test("one that is empty or holds a NUL is refused", () => {
    expect(() => parseClientPath("")).toThrow("path cannot be empty");
    expect(() => parseClientPath("/a\0")).toThrow("path cannot be empty");
  });
});

test.each([
  [0o100_644, 0o644],
  [0o104_755, 0o755 + 2 ** 23],
  [0o102_755, 0o755 + 2 ** 22],
  [0o041_777, 0o777 + 2 ** 31 + 2 ** 20],
  [0o120_777, 134_218_239],
  [0o020_666, 0o666 + 2 ** 26 + 2 ** 21],
  [0o060_660, 0o660 + 2 ** 26],
  [0o010_600, 0o600 + 2 ** 25],
  [0o140_700, 0o700 + 2 ** 24],
])("mode %o is %i for Go", (mode, expected) => {
  expect(goMode({ mode })).toBe(expected);
});
