import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseSync } from "oxc-parser";

export type Edge = { from: string; to: string; isTypeOnly: boolean };

export type ImportGraph = {
  /** Files relative to the repository. */
  files: string[];
  /** Imports of our own files and packages: `to` is a file, or `@flotilla/x`. */
  edges: Edge[];
  /** Imports of everything else: `to` is `node:fs`, `zod`, … */
  external: Edge[];
};

const PATTERNS = ["packages/*/src/**/*.ts", "agent/src/**/*.ts", "apps/*/src/**/*.{ts,tsx}"];
const IGNORED = /\/generated\/|\.test\.tsx?$|\.d\.ts$/;

/** Reads the imports of every source file. */
export function readImportGraph(root: string): ImportGraph {
  const files = PATTERNS.flatMap((pattern) => globSync(pattern, { cwd: root })).filter((file) => !IGNORED.test(file));
  const graph: ImportGraph = { files, edges: [], external: [] };
  for (const file of files) {
    for (const { specifier, isTypeOnly } of importsOf(join(root, file))) {
      if (specifier.startsWith(".")) {
        graph.edges.push({ from: file, to: relative(root, resolve(root, dirname(file), specifier)), isTypeOnly });
      } else if (specifier.startsWith("@flotilla/")) {
        graph.edges.push({ from: file, to: specifier, isTypeOnly });
      } else if (specifier.startsWith("@/")) {
        graph.edges.push({ from: file, to: resolveAlias(root, specifier), isTypeOnly });
      } else {
        graph.external.push({ from: file, to: specifier, isTypeOnly });
      }
    }
  }
  return graph;
}

function importsOf(path: string): { specifier: string; isTypeOnly: boolean }[] {
  const { module } = parseSync(path, readFileSync(path, "utf8"));
  const statics = module.staticImports.map((found) => ({
    specifier: found.moduleRequest.value,
    isTypeOnly: found.entries.length > 0 && found.entries.every((entry) => entry.isType),
  }));
  const reexports = module.staticExports.flatMap((found) =>
    found.entries.flatMap((entry) =>
      entry.moduleRequest === null ? [] : [{ specifier: entry.moduleRequest.value, isTypeOnly: entry.isType }],
    ),
  );
  const source = readFileSync(path, "utf8");
  const dynamics = module.dynamicImports.flatMap((found) => {
    const text = source.slice(found.moduleRequest.start, found.moduleRequest.end);
    const literal = /^["'](.+)["']$/.exec(text);
    return literal?.[1] === undefined ? [] : [{ specifier: literal[1], isTypeOnly: false }];
  });
  return [...statics, ...reexports, ...dynamics];
}

/** `@/x` is `apps/control/src/x`, with the ending that exists. */
function resolveAlias(root: string, specifier: string): string {
  const base = join("apps/control/src", specifier.slice(2));
  const candidates = [base, `${base}.ts`, `${base}.tsx`, join(base, "index.ts"), join(base, "index.tsx")];
  return candidates.find((candidate) => globSync(candidate, { cwd: root }).length > 0 && /\.\w+$/.test(candidate)) ?? base;
}

/** Strongly connected groups of more than one file (or a file that imports itself), by Tarjan's algorithm. */
export function findCycles(edges: readonly Edge[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const edge of edges) targets.set(edge.from, [...(targets.get(edge.from) ?? []), edge.to]);
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node) ?? 0);
    stack.push(node);
    for (const next of targets.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node) ?? 0, low.get(next) ?? 0));
    }
    if (low.get(node) !== index.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1 || (targets.get(node) ?? []).includes(node)) cycles.push(group);
  };
  for (const node of targets.keys()) if (!index.has(node)) visit(node);
  return cycles;
}
