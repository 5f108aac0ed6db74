import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isBundleCurrent } from "./sources.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flt-sources-"));
  mkdirSync(join(root, "dist", "compose"), { recursive: true });
  writeFileSync(join(root, "a.ts"), "one");
  writeFileSync(join(root, "b.ts"), "two");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const line = (name: string): string => {
  const found = statSync(join(root, name), { throwIfNoEntry: false });
  return `${name} ${found?.mtimeMs} ${found?.size}`;
};
const stamp = (...names: string[]): void =>
  writeFileSync(join(root, "dist", "compose", "sources"), ["node 24, pnpm 12", ...names.map(line)].join("\n"));

test("is current while sizes and times are the same, also of files that were absent", () => {
  stamp("a.ts", "b.ts", "absent");
  expect(isBundleCurrent(root)).toBe(true);
});

test.each([
  ["changed", () => writeFileSync(join(root, "b.ts"), "two and more")],
  ["older than it was", () => utimesSync(join(root, "b.ts"), 1, 1)],
  ["gone", () => rmSync(join(root, "b.ts"))],
  ["there that was absent", () => writeFileSync(join(root, "absent"), "")],
])("is not current when a file is %s", (_what, change) => {
  stamp("a.ts", "b.ts", "absent");
  change();
  expect(isBundleCurrent(root)).toBe(false);
});

test("is not current without a stamp, or with one that names nothing", () => {
  expect(isBundleCurrent(root)).toBe(false);
  stamp();
  expect(isBundleCurrent(root)).toBe(false);
});
