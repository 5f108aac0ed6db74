import type { SourcePosition } from "./issue.ts";

/**
 * A compose file as a tree that knows where each of its words is written. Trees are immutable and share parts (anchors), so
 * what changes one makes a new node. `tag` is `!reset` (the key is taken away) or `!override` (replaces instead of merging).
 */
export type Node = Scalar | MapNode | ListNode;

export type Tag = "reset" | "override";

type Base = { at: SourcePosition; tag?: Tag | undefined };

/** `text` is the source of a plain scalar, so that `0440` can be read as octal where a mode is meant. */
export type Scalar = Base & { kind: "scalar"; value: string | number | boolean | null; text: string };
export type Entry = { keyAt: SourcePosition; value: Node };
export type MapNode = Base & { kind: "map"; entries: ReadonlyMap<string, Entry> };
export type ListNode = Base & { kind: "list"; items: readonly Node[] };

export const scalarNode = (value: Scalar["value"], at: SourcePosition): Scalar => ({
  kind: "scalar",
  value,
  text: String(value ?? ""),
  at,
});

export const listNode = (items: readonly Node[], at: SourcePosition, tag?: Tag): ListNode => ({ kind: "list", items, at, tag });

export function mapNode(entries: Iterable<readonly [string, Node]>, at: SourcePosition, tag?: Tag): MapNode {
  return { kind: "map", entries: new Map([...entries].map(([key, value]) => [key, { keyAt: value.at, value }])), at, tag };
}

export const emptyMap = (at: SourcePosition): MapNode => mapNode([], at);

export const isNull = (node: Node | undefined): boolean => node === undefined || (node.kind === "scalar" && node.value === null);

/** The value of a key; undefined when it is missing or `node` is no map. */
export function child(node: Node | undefined, key: string): Node | undefined {
  return node?.kind === "map" ? node.entries.get(key)?.value : undefined;
}

/** A map with one key replaced (or taken away by undefined). */
export function withChild(node: MapNode, key: string, value: Node | undefined): MapNode {
  const entries = new Map(node.entries);
  if (value === undefined) entries.delete(key);
  else entries.set(key, { keyAt: node.entries.get(key)?.keyAt ?? value.at, value });
  return { ...node, entries };
}

/** Every child replaced by what `change` makes of it; undefined takes it away. */
export function mapChildren(node: MapNode, change: (value: Node, key: string) => Node | undefined): MapNode {
  const entries = new Map<string, Entry>();
  for (const [key, entry] of node.entries) {
    const value = change(entry.value, key);
    if (value !== undefined) entries.set(key, value === entry.value ? entry : { keyAt: entry.keyAt, value });
  }
  return { ...node, entries };
}

/** The text of a scalar as the engine gets it: `true`, `1.5`; null and what is no scalar give undefined. */
export function textOf(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? String(node.value) : undefined;
}

/** Plain data, for extensions and comparisons. */
export function toPlain(node: Node): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(toPlain);
  // Not by assignment: a key `__proto__` is a key like any other.
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toPlain(entry.value)]));
}

/** What a node is, in the words of the schema. */
export function describeKind(node: Node): string {
  if (node.kind === "map") return "mapping";
  if (node.kind === "list") return "list";
  if (node.value === null) return "null";
  return typeof node.value === "string" ? "string" : typeof node.value === "boolean" ? "boolean" : "number";
}
