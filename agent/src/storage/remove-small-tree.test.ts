import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { removeSmallTree } from "./remove-small-tree.ts";

describe("removeSmallTree", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "flt-small-tree-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  test("deletes files, directories and links, but not what links lead to", () => {
    const tree = join(dir, "tree");
    mkdirSync(join(tree, "a/b"), { recursive: true });
    mkdirSync(join(dir, "outside"));
    writeFileSync(join(dir, "outside/kept"), "");
    writeFileSync(join(tree, "a/b/file"), "");
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe])]), "no UTF-8");
    symlinkSync(join(dir, "outside"), join(tree, "a/link"));
    expect(removeSmallTree(tree, 10)).toBe(true);
    expect(existsSync(tree)).toBe(false);
    expect(readdirSync(join(dir, "outside"))).toEqual(["kept"]);
  });

  test("deletes a plain file", () => {
    writeFileSync(join(dir, "file"), "");
    expect(removeSmallTree(join(dir, "file"), 10)).toBe(true);
    expect(readdirSync(dir)).toEqual([]);
  });

  test("leaves a tree with more entries than the limit to somebody else", () => {
    mkdirSync(join(dir, "tree"));
    for (let i = 0; i < 11; i++) writeFileSync(join(dir, "tree", String(i)), "");
    expect(removeSmallTree(join(dir, "tree"), 10)).toBe(false);
    expect(existsSync(join(dir, "tree"))).toBe(true);
  });

  test("says no for what is not there", () => {
    expect(removeSmallTree(join(dir, "nothing"), 10)).toBe(false);
  });
});
