import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node as YamlNode, parseAllDocuments, type Pair, type YAMLMap } from "yaml";
import type { Issues, SourcePosition } from "./issue.ts";
import { formatMessage, type Message, message } from "./message.ts";
import { describeError } from "./yaml-errors.ts";
import { type Entry, mapNode, type Node, scalarNode, type Tag } from "./tree.ts";

/** A compose file is written by people: what is larger is an attack or a mistake. */
export const MAX_FILE_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
const CORE_TAG = /^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/;
/** Nodes of a file with every alias expanded: ten aliases of ten, nine levels deep, would be a thousand million. */
const MAX_NODES = 400_000;

/**
 * Parses a file of one or more YAML documents, with anchors, aliases and merge keys resolved. Mistakes go to `issues`.
 * @returns one tree per document that is not empty.
 */
export function parseYaml(file: string, text: string, issues: Issues): Node[] {
  const whole = { file, line: 1, column: 1 };
  if (text.length > MAX_FILE_BYTES) {
    issues.error("", message("file_too_large", { max: MAX_FILE_BYTES }), { position: whole });
    return [];
  }
  try {
    return parseDocuments(file, text, issues);
  } catch (error) {
    // The parser and this file are recursive: a file nested thousands deep ends here and not the program.
    if (error instanceof RangeError) issues.error("", message("nested_too_deeply"), { position: whole });
    else if (error instanceof TreeError) issues.error("", error.said, { position: error.position });
    else throw error;
    return [];
  }
}

class TreeError extends Error {
  readonly said: Message;
  readonly position: SourcePosition;

  constructor(said: Message, position: SourcePosition) {
    super(formatMessage(said));
    this.said = said;
    this.position = position;
  }
}

function parseDocuments(file: string, text: string, issues: Issues): Node[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    uniqueKeys: false,
    merge: false,
    logLevel: "silent",
    prettyErrors: false,
  });
  const position = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const trees: Node[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    for (const error of document.errors) issues.error("", describeError(error), { position: position(error.pos[0]) });
    const contents: YamlNode | null = document.contents;
    if (document.errors.length > 0 || contents === null || isNullScalar(contents)) continue;
    trees.push(new Converter(position, issues).convert(contents, 0).node);
  }
  return trees;
}

const isNullScalar = (contents: YamlNode): boolean => isScalar(contents) && contents.value === null;

/** A node and how many nodes it has with all aliases expanded. */
type Sized = { node: Node; size: number };

/** From the library's nodes to ours. An alias is the very node of its anchor; sizes are counted as if it were copied. */
class Converter {
  readonly #position: (offset: number) => SourcePosition;
  readonly #issues: Issues;
  readonly #anchors = new Map<string, Sized>();

  constructor(position: (offset: number) => SourcePosition, issues: Issues) {
    this.#position = position;
    this.#issues = issues;
  }

  convert(source: YamlNode, depth: number): Sized {
    const at = this.#position(source.range?.[0] ?? 0);
    if (depth > MAX_DEPTH) throw new TreeError(message("nested_deeper", { max: MAX_DEPTH }), at);
    if (isAlias(source)) return this.#alias(source.source, at);
    const result = this.#bare(source, { at, depth });
    if (result.size > MAX_NODES) throw new TreeError(message("too_many_values", { max: MAX_NODES }), at);
    const tag = this.#tag(source, at);
    const tagged = tag === undefined ? result : { ...result, node: { ...result.node, tag } };
    const anchor = "anchor" in source ? source.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, tagged);
    return tagged;
  }

  #alias(name: string, at: SourcePosition): Sized {
    const found = this.#anchors.get(name);
    if (found === undefined) throw new TreeError(message("unknown_anchor", { name }), at);
    return { node: { ...found.node, at }, size: found.size };
  }

  #bare(source: YamlNode, { at, depth }: { at: SourcePosition; depth: number }): Sized {
    if (isScalar(source)) return { node: this.#scalar(source.value, { source: source.source, at }), size: 1 };
    if (isSeq(source)) {
      const items = source.items.map((item) => this.convert(item as YamlNode, depth + 1));
      return { node: { kind: "list", items: items.map((item) => item.node), at }, size: sum(items) };
    }
    if (isMap(source)) return this.#map(source, { at, depth });
    return { node: scalarNode(null, at), size: 1 };
  }

  #scalar(value: unknown, { source, at }: { source: string | undefined; at: SourcePosition }): Node {
    const plain = typeof value === "bigint" ? String(value) : value;
    const isKnown = plain === null || typeof plain === "string" || typeof plain === "number" || typeof plain === "boolean";
    const node = scalarNode(isKnown ? plain : null, at);
    return source === undefined ? node : { ...node, text: source };
  }

  #map(source: YAMLMap, { at, depth }: { at: SourcePosition; depth: number }): Sized {
    const entries = new Map<string, Entry>();
    const merged: Node[] = [];
    let size = 1;
    for (const pair of source.items as Pair<YamlNode | null, YamlNode | null>[]) {
      const keyAt = this.#position(pair.key?.range?.[0] ?? source.range?.[0] ?? 0);
      const value = pair.value === null ? { node: scalarNode(null, keyAt), size: 1 } : this.convert(pair.value, depth + 1);
      size += value.size;
      const key = this.#key(pair.key, keyAt);
      if (key === "<<") merged.push(value.node);
      else if (entries.has(key)) this.#issues.error(key, message("key_twice"), { position: keyAt });
      else entries.set(key, { keyAt, value: value.node });
    }
    for (const node of merged) this.#mergeInto(entries, node);
    return { node: { ...mapNode([], at), entries }, size };
  }

  #key(source: YamlNode | null, at: SourcePosition): string {
    const key = source !== null && isAlias(source) ? this.#alias(source.source, at).node : source;
    if (key === null) return "";
    if ("kind" in key) return key.kind === "scalar" ? String(key.value ?? "") : this.#refuseKey(at);
    if (!isScalar(key)) return this.#refuseKey(at);
    return typeof key.value === "string" ? key.value : JSON.stringify(key.value ?? "");
  }

  #refuseKey(at: SourcePosition): never {
    throw new TreeError(message("key_no_text"), at);
  }

  /** `<<`: keys that the map has itself win over merged ones, earlier merged maps over later ones. */
  #mergeInto(entries: Map<string, Entry>, node: Node): void {
    if (node.kind === "list") for (const item of node.items) this.#mergeInto(entries, item);
    else if (node.kind === "map") {
      for (const [key, entry] of node.entries) if (!entries.has(key)) entries.set(key, entry);
    } else throw new TreeError(message("merge_no_mapping"), node.at);
  }

  #tag(source: YamlNode, at: SourcePosition): Tag | undefined {
    const tag = "tag" in source ? source.tag : undefined;
    if (tag === undefined || CORE_TAG.test(tag)) return undefined;
    if (tag === "!reset" || tag === "!override") return tag === "!reset" ? "reset" : "override";
    this.#issues.error("", message("unknown_tag", { tag }), { position: at });
    return undefined;
  }
}

const sum = (parts: readonly Sized[]): number => parts.reduce((total, part) => total + part.size, 1);
