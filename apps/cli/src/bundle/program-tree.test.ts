import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { copyProgramTree, planProgramTree } from "./program-tree.ts";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flt-tree-"));
  // As pnpm lays it out: app → lib (ours) and left (a registry's), left → right; tool only for development.
  workspace("apps/app", {
    dependencies: { lib: "workspace:*", left: "1" },
    devDependencies: { tool: "1" },
    optionalDependencies: { other: "1" },
  });
  workspace("packages/lib", { dependencies: { "@scope/deep": "1" } });
  file("apps/app/src/main.ts", "main");
  file("apps/app/src/main.test.ts", "test");
  file("apps/app/.next/cache/big", "cache");
  stored("left@1", "left", ["right@1"]);
  stored("right@1", "right", ["left@1"]);
  stored("tool@1", "tool", []);
  stored("@scope+deep@1", "@scope/deep", []);
  file("node_modules/.pnpm/left@1/node_modules/left/index.d.ts", "types");
  file("node_modules/.pnpm/left@1/node_modules/left/index.js.map", "map");
  link("apps/app/node_modules/lib", "packages/lib");
  link("apps/app/node_modules/left", "node_modules/.pnpm/left@1/node_modules/left");
  link("apps/app/node_modules/tool", "node_modules/.pnpm/tool@1/node_modules/tool");
  link("packages/lib/node_modules/@scope/deep", "node_modules/.pnpm/@scope+deep@1/node_modules/@scope/deep");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function file(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function link(path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  const up = dirname(path)
    .split("/")
    .map(() => "..")
    .join("/");
  symlinkSync(join(up, target), join(root, path));
}

function workspace(path: string, manifest: object): void {
  file(`${path}/package.json`, JSON.stringify(manifest));
}

function stored(id: string, name: string, needs: readonly string[]): void {
  file(`node_modules/.pnpm/${id}/node_modules/${name}/index.js`, name);
  for (const need of needs) {
    const other = need.split("@")[0] ?? "";
    link(`node_modules/.pnpm/${id}/node_modules/${other}`, `node_modules/.pnpm/${need}/node_modules/${other}`);
  }
}

test("follows what is needed at run time, through circles, and nothing for development", () => {
  expect(planProgramTree(root, ["apps/app"])).toEqual({
    workspaces: ["apps/app", "packages/lib"],
    stored: ["node_modules/.pnpm/@scope+deep@1", "node_modules/.pnpm/left@1", "node_modules/.pnpm/right@1"],
  });
});

test("a dependency that is not installed is an error that names it; an optional one is not", () => {
  workspace("packages/lib", { dependencies: { missing: "1" }, optionalDependencies: { "missing-too": "1" } });
  expect(() => planProgramTree(root, ["apps/app"])).toThrow("packages/lib needs missing, which is not installed");
});

test("the copy holds what runs, with its links, and neither tests, types, maps nor caches", () => {
  const out = join(root, "out");
  copyProgramTree({ root, tree: planProgramTree(root, ["apps/app"]), out });
  const read = (path: string): string => readFileSync(join(out, path), "utf8");
  expect(read("apps/app/src/main.ts")).toBe("main");
  expect(read("apps/app/node_modules/left/index.js")).toBe("left");
  expect(read("apps/app/node_modules/lib/node_modules/@scope/deep/index.js")).toBe("@scope/deep");
  expect(read("node_modules/.pnpm/left@1/node_modules/right/index.js")).toBe("right");
  expect(lstatSync(join(out, "node_modules/.pnpm/left@1/node_modules/right")).isSymbolicLink()).toBe(true);
  const absent = ["apps/app/src/main.test.ts", "apps/app/.next/cache", "apps/app/node_modules/tool", "node_modules/.pnpm/tool@1"];
  const types = ["index.d.ts", "index.js.map"].map((name) => `node_modules/.pnpm/left@1/node_modules/left/${name}`);
  expect([...absent, ...types].filter((path) => existsSync(join(out, path)))).toEqual([]);
});

test("what is skipped is neither copied nor linked", () => {
  const out = join(root, "out");
  copyProgramTree({ root, tree: planProgramTree(root, ["apps/app"]), out, isSkipped: (path) => path.endsWith("left@1") });
  expect(existsSync(join(out, "node_modules/.pnpm/left@1"))).toBe(false);
  expect(() => lstatSync(join(out, "apps/app/node_modules/left"))).toThrow("ENOENT");
  expect(existsSync(join(out, "apps/app/node_modules/lib/package.json"))).toBe(true);
});
