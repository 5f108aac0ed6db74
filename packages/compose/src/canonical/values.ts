import type { Issues } from "../issue.ts";
import { joinPath } from "../paths.ts";
import { describeKind, isNull, listNode, mapNode, type MapNode, type Node, scalarNode, textOf } from "../tree.ts";
import { message } from "../message.ts";

/** What a short form needs to become a long one: where relative paths begin, and where mistakes go. */
export type Scope = { dir: string; homeDir: string | undefined; issues: Issues; variables: (name: string) => string | undefined };

/** Rewrites one value of the tree to its long form. A value of a wrong kind is left as it is: decoding tells of it. */
export type Canonical = (node: Node, path: string, scope: Scope) => Node;

/** `[A=1, B]` → `{A: "1", B: null}`. */
export const keyValues: Canonical = (node, path, scope) => {
  if (isNull(node)) return mapNode([], node.at, node.tag);
  if (node.kind !== "list") return node;
  const entries: [string, Node][] = [];
  for (const [at, item] of node.items.entries()) {
    const text = textOf(item);
    if (text === undefined)
      scope.issues.error(`${path}.${at}`, message("must_be_pair", { found: describeKind(item) }), { position: item.at });
    else {
      const equals = text.indexOf("=");
      const value = equals === -1 ? scalarNode(null, item.at) : scalarNode(text.slice(equals + 1), item.at);
      entries.push([equals === -1 ? text : text.slice(0, equals), value]);
    }
  }
  return mapNode(entries, node.at, node.tag);
};

/** `x` → `[x]`. */
export const oneOrMore: Canonical = (node) => (node.kind === "scalar" && node.value !== null ? listNode([node], node.at, node.tag) : node);

/** `[a, b]` → `{a: null, b: null}`: networks of a service. */
export const names: Canonical = (node) => {
  if (node.kind !== "list") return node;
  const texts = node.items.map((item) => [textOf(item), item] as const);
  if (texts.some(([text]) => text === undefined)) return node;
  return mapNode(
    texts.map(([text, item]) => [text ?? "", scalarNode(null, item.at)]),
    node.at,
    node.tag,
  );
};

/** A scalar as the one key of a mapping: `build: .` → `{context: .}`. */
export const under =
  (key: string): Canonical =>
  (node) =>
    node.kind === "scalar" && node.value !== null ? mapNode([[key, node]], node.at, node.tag) : node;

/** Every item of a list rewritten. */
export const each =
  (change: Canonical): Canonical =>
  (node, path, scope) =>
    node.kind === "list" ? { ...node, items: node.items.map((item, at) => change(item, `${path}.${at}`, scope)) } : node;

/** A path below the directory of its file; `~` is the home directory. */
export const filePath: Canonical = (node, _path, scope) => {
  const text = textOf(node);
  return text === undefined ? node : { ...scalarNode(resolvePath(text, scope), node.at), tag: node.tag };
};

export function resolvePath(path: string, scope: Pick<Scope, "dir" | "homeDir">): string {
  const isHome = path === "~" || path.startsWith("~/");
  return joinPath(scope.dir, isHome && scope.homeDir !== undefined ? `${scope.homeDir}${path.slice(1)}` : path);
}

/** Changes of a mapping's values by key. */
export function fields(table: Readonly<Record<string, Canonical>>): Canonical {
  return (node, path, scope) => {
    if (node.kind !== "map") return node;
    const entries = new Map(node.entries);
    for (const [key, entry] of node.entries) {
      const change = Object.hasOwn(table, key) ? table[key] : undefined;
      if (change !== undefined) entries.set(key, { ...entry, value: change(entry.value, below(path, key), scope) });
    }
    return { ...node, entries } satisfies MapNode;
  };
}

/** The same change for every value of a mapping, whatever its key. */
export const values =
  (change: Canonical): Canonical =>
  (node, path, scope) => {
    if (node.kind !== "map") return node;
    const entries = [...node.entries].map(
      ([key, entry]) => [key, { ...entry, value: change(entry.value, below(path, key), scope) }] as const,
    );
    return { ...node, entries: new Map(entries) };
  };

/** One change after the other. */
export const chain =
  (...changes: readonly Canonical[]): Canonical =>
  (node, path, scope) =>
    changes.reduce((result, change) => change(result, path, scope), node);

/** The path of a key; the whole file has none. */
const below = (path: string, key: string): string => (path === "" ? key : `${path}.${key}`);
