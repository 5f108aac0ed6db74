import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, symlinkSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";

const manifest = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});

/** The parts of an installation that one program needs at run time, relative to the installation's root. */
export type ProgramTree = {
  /** Packages of our own, such as `apps/control` and `packages/core`. */
  workspaces: string[];
  /** Entries of pnpm's store, such as `node_modules/.pnpm/zod@4.0.0`. */
  stored: string[];
};

const STORE = join("node_modules", ".pnpm");

/**
 * Follows the dependencies of `entries`, without those for development, through pnpm's links (pnpm.io, "Symlinked
 * node_modules structure"). Optional ones that are not installed, for another architecture, are left out.
 * @throws FlotillaError `not_found` naming what is missing.
 */
export function planProgramTree(root: string, entries: readonly string[]): ProgramTree {
  const workspaces = new Set<string>();
  const stored = new Set<string>();
  const visitLink = (link: string): void => {
    const path = relative(root, realpathSync(link));
    if (path.startsWith(`${STORE}${sep}`)) visitStored(path.split(sep).slice(0, 3).join(sep));
    else visitWorkspace(path);
  };
  const visitStored = (path: string): void => {
    if (stored.has(path)) return;
    stored.add(path);
    // What a package may import is linked beside it.
    for (const link of packagesIn(join(root, path, "node_modules"))) visitLink(link);
  };
  const visitWorkspace = (path: string): void => {
    if (workspaces.has(path)) return;
    workspaces.add(path);
    const { dependencies, optionalDependencies } = manifest.parse(JSON.parse(readFileSync(join(root, path, "package.json"), "utf8")));
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const link = join(root, path, "node_modules", name);
      if (existsSync(link)) visitLink(link);
      else if (!(name in optionalDependencies)) throw new FlotillaError("not_found", `${path} needs ${name}, which is not installed`);
    }
  };
  for (const entry of entries) visitWorkspace(entry);
  return { workspaces: [...workspaces].sort(), stored: [...stored].sort() };
}

/** Links and directories of a node_modules directory, those of scopes included. */
function packagesIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(join(directory, name)).map((part) => join(directory, name, part)) : [join(directory, name)],
    );
}

const NOT_FOR_RUNNING = /\.test\.tsx?$|\.d\.[mc]?ts$|\.map$|\.tsbuildinfo$/;
/** Of our own packages: build caches, and links that are made anew. */
const LEFT_OUT = new Set(["node_modules", "cache", "trace"]);

/**
 * Copies a tree to `out`, where it runs as it does here: links stay relative, compiled modules stay compiled.
 * @param isSkipped entries of the store that are dependencies of others and yet not needed at run time.
 */
export function copyProgramTree(from: { root: string; tree: ProgramTree; out: string; isSkipped?: (stored: string) => boolean }): void {
  const { root, tree, out, isSkipped = () => false } = from;
  const stored = tree.stored.filter((path) => !isSkipped(path));
  const present = [...tree.workspaces, ...stored];
  for (const path of tree.workspaces) {
    const isWanted = (file: string): boolean => {
      const parts = relative(join(root, path), file).split(sep);
      return !NOT_FOR_RUNNING.test(file) && !parts.some((part) => LEFT_OUT.has(part));
    };
    cpSync(join(root, path), join(out, path), { recursive: true, filter: isWanted });
    for (const link of packagesIn(join(root, path, "node_modules"))) {
      const target = relative(root, realpathSync(link));
      if (present.some((part) => target === part || target.startsWith(`${part}${sep}`))) copyLink(link, join(out, relative(root, link)));
    }
  }
  for (const path of stored) {
    const isWanted = (file: string): boolean => !NOT_FOR_RUNNING.test(file);
    cpSync(join(root, path), join(out, path), { recursive: true, verbatimSymlinks: true, filter: isWanted });
  }
}

function copyLink(link: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(readlinkSync(link), target);
}
