// The control plane as a directory that runs anywhere: its sources, the packages that it needs at run time, the built
// dashboard and Node itself. `examples/control/Dockerfile` makes an image of it.
import { execFile } from "node:child_process";
import { cpSync, globSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { ensureDashboard } from "../apps/cli/src/up/build-dashboard.ts";

const execute = promisify(execFile);
const ROOT = join(import.meta.dirname, "..");
const PNPM = join(ROOT, ".tools", "node_modules", "pnpm", "bin", "pnpm.mjs");

/** What pnpm needs to see of the repository, and what the programs read at run time. */
const PARTS = [
  "apps/control",
  "apps/cli/package.json",
  "agent/package.json",
  "packages",
  "prisma",
  "package.json",
  "pnpm-lock.yaml",
  "pnpm-workspace.yaml",
];
const LEFT_OUT = new Set(["node_modules", "cache", "trace", "tsconfig.tsbuildinfo"]);

/** What only a build or an editor needs: Next's compiler, its image library, TypeScript; source maps and declarations. */
const BUILD_ONLY = ["**/*.map", "**/*.d.{ts,mts,cts}", "@next+swc-*", "@img+*", "sharp@*", "typescript@*", "@typescript+*"];

/**
 * Writes the bundle into `out`, which is emptied first: `app/` is the tree and `node` the program that runs it. Nothing is
 * downloaded: the packages come from the store of the installation that this runs in.
 */
export async function makeControlBundle(out: string): Promise<void> {
  await ensureDashboard((text) => console.error(text));
  const app = join(out, "app");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  for (const part of PARTS) cpSync(join(ROOT, part), join(app, part), { recursive: true, filter: isWanted, verbatimSymlinks: true });
  const install = ["install", "--prod", "--frozen-lockfile", "--offline", "--filter", "@flotilla/control...", "--reporter=silent"];
  await execute(process.execPath, [PNPM, ...install], {
    cwd: app,
    // The Node that runs this has its headers beside it, so that nothing is fetched for a module that is compiled.
    env: { ...process.env, CI: "true", npm_config_nodedir: dirname(dirname(process.execPath)) },
    maxBuffer: 64 * 1024 * 1024,
  });
  const store = join(app, "node_modules", ".pnpm");
  for (const found of globSync(BUILD_ONLY, { cwd: store })) rmSync(join(store, found), { recursive: true, force: true });
  cpSync(process.execPath, join(out, "node"));
}

function isWanted(path: string): boolean {
  const parts = relative(ROOT, path).split(sep);
  return !/\.test\.tsx?$/.test(path) && !parts.some((part) => LEFT_OUT.has(part));
}
