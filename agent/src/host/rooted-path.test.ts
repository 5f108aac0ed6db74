import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readTextInRoot, resolveInRoot } from "./rooted-path.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flt-root-"));
  mkdirSync(join(root, "etc"));
  writeFileSync(join(root, "etc/passwd"), "inside");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test.each([
  ["/etc/passwd", "etc/passwd"],
  ["etc//./passwd", "etc/passwd"],
  ["/../../etc/passwd", "etc/passwd"],
  ["/a/b/../c", "a/c"],
  ["/", ""],
])("%s stays inside as %s", (path, expected) => {
  expect(resolveInRoot(root, path)).toBe(join(root, expected));
});

test("links lead where they lead in the container, never out", () => {
  symlinkSync("/etc/passwd", join(root, "absolute"));
  symlinkSync("../../../../etc", join(root, "up"));
  symlinkSync("../absolute", join(root, "etc/back"));
  expect(readTextInRoot(root, "/absolute", 100)).toBe("inside");
  expect(readTextInRoot(root, "/up/passwd", 100)).toBe("inside");
  expect(readTextInRoot(root, "/etc/back", 3)).toBe("ins");
});

test("a loop of links is an error, and what is no file has no text", () => {
  symlinkSync("two", join(root, "one"));
  symlinkSync("one", join(root, "two"));
  expect(() => resolveInRoot(root, "/one")).toThrow("too many levels of symbolic links");
  expect(readTextInRoot(root, "/one", 10)).toBeUndefined();
  expect(readTextInRoot(root, "/etc", 10)).toBeUndefined();
  expect(readTextInRoot(root, "/none", 10)).toBeUndefined();
});
