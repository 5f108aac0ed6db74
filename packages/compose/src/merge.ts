import { child, isNull, type ListNode, type MapNode, type Node, textOf, toPlain, withChild } from "./tree.ts";

/** Lists that a later file replaces as a whole. Paths as patterns over the keys; `*` is any one key. */
const REPLACED = ["services.*.command", "services.*.entrypoint", "services.*.healthcheck.test"];

/** Lists whose items have an identity: a later item with the same one takes the place of the earlier. */
const KEYED: Readonly<Record<string, (item: Node) => string>> = {
  "services.*.volumes": (item) => textOf(child(item, "target")) ?? "",
  "services.*.devices": (item) => textOf(child(item, "target")) ?? "",
  "services.*.ports": (item) => ["host_ip", "published", "target", "protocol"].map((key) => textOf(child(item, key)) ?? "").join("|"),
  "services.*.secrets": (item) => textOf(child(item, "target")) ?? textOf(child(item, "source")) ?? "",
  "services.*.configs": (item) => textOf(child(item, "target")) ?? textOf(child(item, "source")) ?? "",
  "services.*.env_file": (item) => textOf(child(item, "path")) ?? "",
};

/** In these a null is a value of its own ("unset this variable") and not "nothing said". */
const NULL_COUNTS = /^services\.\*\.(environment|build\.args|labels|annotations)\.\*$/;

/**
 * The specification's merge of two canonical trees: mappings key by key, lists one behind the other, scalars replaced; `!reset`
 * takes a key away, `!override` replaces.
 * @param pattern the path so far, with `*` for names that the user chose.
 */
export function mergeTrees(base: Node, over: Node, pattern = ""): Node {
  if (over.tag === "override") return withoutTag(over);
  if (isNull(over) && !NULL_COUNTS.test(pattern)) return base;
  if (base.kind === "map" && over.kind === "map") return mergeMaps(base, over, pattern);
  if (base.kind === "list" && over.kind === "list" && !REPLACED.includes(pattern)) return mergeLists(base, over, pattern);
  return over;
}

function mergeMaps(base: MapNode, over: MapNode, pattern: string): MapNode {
  const start = pattern === "services.*.logging" ? ofSameDriver(base, over) : base;
  const entries = new Map(start.entries);
  for (const [key, entry] of over.entries) {
    const before = entries.get(key);
    if (entry.value.tag === "reset") entries.delete(key);
    else if (before === undefined) entries.set(key, entry);
    else entries.set(key, { keyAt: entry.keyAt, value: mergeTrees(before.value, entry.value, below(pattern, key)) });
  }
  return { ...start, at: over.at, entries };
}

/** Options of another logging driver make no sense for the new one. */
function ofSameDriver(base: MapNode, over: MapNode): MapNode {
  const [before, after] = [textOf(child(base, "driver")), textOf(child(over, "driver"))];
  return before !== undefined && after !== undefined && before !== after ? withChild(base, "options", undefined) : base;
}

function mergeLists(base: ListNode, over: ListNode, pattern: string): ListNode {
  const identity = KEYED[pattern];
  const items = new Map<string, Node>();
  for (const item of [...base.items, ...over.items]) {
    const key = identity === undefined ? JSON.stringify(toPlain(item)) : identity(item);
    items.set(key, item);
  }
  return { ...over, items: [...items.values()] };
}

/** Keys below `services` and the like are names; everything else is a word of the schema. */
function below(pattern: string, key: string): string {
  const isName = /^(services|networks|volumes|secrets|configs)$/.test(pattern) || /\.(environment|args|labels|annotations)$/.test(pattern);
  return pattern === "" ? key : `${pattern}.${isName ? "*" : key}`;
}

function withoutTag(node: Node): Node {
  return { ...node, tag: undefined };
}

/** Tags of a tree that nothing is merged into: a key to be reset is not there, an override is a plain value. */
export function dropTags(node: Node): Node {
  if (node.kind === "scalar") return node.tag === undefined ? node : withoutTag(node);
  if (node.kind === "list") return { ...node, tag: undefined, items: node.items.filter((item) => item.tag !== "reset").map(dropTags) };
  const entries = [...node.entries].filter(([, entry]) => entry.value.tag !== "reset");
  return { ...node, tag: undefined, entries: new Map(entries.map(([key, entry]) => [key, { ...entry, value: dropTags(entry.value) }])) };
}
