// Which files the sources of COPY and ADD mean, by Docker's rules, on anything that can be looked at like a tree: an
// index of the context in memory, or a directory inside a worker process. Names are byte strings (see archive/tar/block.ts).
import { PatternMatcher } from "@flotilla/dockerfile";

export type NodeType = "file" | "directory" | "symlink" | "other";

/** Paths are relative, clean, without a slash at either end; "" is the root. Nothing here follows a link. */
export type SourceTree = {
  typeOf(path: string): NodeType | undefined;
  readLink(path: string): string;
  /** Names in byte order. */
  children(path: string): readonly string[];
};

/** `path` is how the source was named, `resolved` where it is once all links are followed inside the tree. */
export type FoundSource = { path: string; resolved: string; type: Exclude<NodeType, "symlink"> };

const MAX_LINKS = 40;
const WILDCARD = /[*?[\\]/;

/** Follows every link with the tree's root as "/"; undefined when nothing is there. */
export function resolveInTree(tree: SourceTree, path: string): { path: string; type: FoundSource["type"] } | undefined {
  const pending = path.split("/").toReversed();
  const done: string[] = [];
  let links = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    const here = [...done, part].join("/");
    const type = tree.typeOf(here);
    if (type === undefined) return undefined;
    if (type !== "symlink") {
      done.push(part);
      continue;
    }
    links += 1;
    // A loop leads to nothing; it must not keep a pattern from matching the files beside it.
    if (links > MAX_LINKS) return undefined;
    const target = tree.readLink(here);
    if (target.startsWith("/")) done.length = 0;
    pending.push(...target.split("/").toReversed());
  }
  const resolved = done.join("/");
  const type = resolved === "" ? "directory" : tree.typeOf(resolved);
  return type === undefined || type === "symlink" ? undefined : { path: resolved, type };
}

/** All that a source means: one path as it is, or what its wildcards match, in byte order. */
export function findSources(tree: SourceTree, source: string): FoundSource[] {
  const parts = source.split("/").filter((part) => part !== "" && part !== ".");
  const found = WILDCARD.test(source) ? expand(tree, "", parts) : [parts.join("/")];
  return [...new Set(found)].flatMap((path) => {
    const at = resolveInTree(tree, path);
    return at === undefined ? [] : [{ path, resolved: at.path, type: at.type }];
  });
}

export function hasWildcard(source: string): boolean {
  return WILDCARD.test(source);
}

function expand(tree: SourceTree, directory: string, parts: readonly string[]): string[] {
  const [part, ...rest] = parts;
  if (part === undefined) return [directory];
  const at = resolveInTree(tree, directory);
  if (at?.type !== "directory") return [];
  const below = (name: string): string => (directory === "" ? name : `${directory}/${name}`);
  if (part === "**") {
    const deeper = tree.children(at.path).filter((name) => tree.typeOf(at.path === "" ? name : `${at.path}/${name}`) === "directory");
    const own = rest.length === 0 ? tree.children(at.path).map(below) : expand(tree, directory, rest);
    return rest.length === 0 ? own : [...own, ...deeper.flatMap((name) => expand(tree, below(name), parts))];
  }
  if (!WILDCARD.test(part)) return expand(tree, below(part), rest);
  // One part of a path: the rules of .dockerignore and of Go's filepath.Match are the same here.
  const matcher = new PatternMatcher([part.startsWith("!") ? `\\${part}` : part]);
  const names = tree.children(at.path).filter((name) => matcher.matches(name));
  return names.flatMap((name) => expand(tree, below(name), rest));
}
