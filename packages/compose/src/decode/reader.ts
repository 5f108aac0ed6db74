import { suggest } from "@flotilla/core";
import type { Issues } from "../issue.ts";
import { type Message, message } from "../message.ts";
import type { NoteCode } from "../notes.ts";
import { describeKind, isNull, type MapNode, type Node, textOf, toPlain } from "../tree.ts";

/** Reads one value of the canonical tree into the model's form; undefined after a mistake, which is then in `issues`. */
export type Reader = (node: Node, path: string, issues: Issues) => unknown;

/**
 * One key of the schema. `to`: its name in the model, or null where it is only checked. `note`: why the engine does not honour it, told as
 * a warning wherever the key is used. `hostNote`: the same, when the project runs on one host.
 */
export type Field = { to: string | null; read: Reader; note?: NoteCode; hostNote?: NoteCode };
export type Fields = Readonly<Record<string, Field>>;

export const field = (to: string, read: Reader): Field => ({ to, read });
/** A key that is read, and means nothing to a single host. */
export const stackField = (to: string, read: Reader, hostNote: NoteCode): Field => ({ to, read, hostNote });
/** A key that the schema knows and that is not honoured. */
export const ignored = (note: NoteCode): Field => ({ to: null, read: anything, note });

/** Keys below a reader's mapping (or the mappings of its list), for the table of what is supported. */
const shapes = new WeakMap<Reader, Fields>();

/** The keys that a reader knows, if it reads mappings with known keys, or lists or maps of such. */
export const keysOf = (read: Reader): Fields | undefined => shapes.get(read);

function withKeysOf(reader: Reader, inner: Reader): Reader {
  const fields = shapes.get(inner);
  if (fields !== undefined) shapes.set(reader, fields);
  return reader;
}

export const anything: Reader = (node) => node;

/** Notes of keys by path pattern, told once for each use. */
export type NoteTarget = "host" | "stack";

/** A reader of a mapping with known keys; `x-…` keys are extensions and go to `extensions` when the model has a place for them. */
export function object(fields: Fields, options: { target: NoteTarget; withExtensions?: boolean }): Reader {
  const reader: Reader = (node, path, issues) => {
    if (isNull(node)) return {};
    if (node.kind !== "map") return wrongKind({ node, path, issues }, "mapping");
    const result: Record<string, unknown> = {};
    const extensions: [string, unknown][] = [];
    for (const [key, { value, keyAt }] of node.entries) {
      const at = path === "" ? key : `${path}.${key}`;
      const known = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (known !== undefined) readField(known, { value, path: at, issues, result, target: options.target });
      else if (key.startsWith("x-")) extensions.push([key, toPlain(value)]);
      else unknownKey(key, { path, issues, fields, keyAt });
    }
    if (options.withExtensions === true) result["extensions"] = Object.fromEntries(extensions);
    return result;
  };
  shapes.set(reader, fields);
  return reader;
}

type Place = { value: Node; path: string; issues: Issues; result: Record<string, unknown>; target: NoteTarget };

function readField(known: Field, { value, path, issues, result, target }: Place): void {
  const note = known.note ?? (target === "host" ? known.hostNote : undefined);
  if (note !== undefined && !isNull(value)) issues.warn(path, message(note), value.at);
  if (known.to === null || (isNull(value) && !acceptsNull.has(known.read))) return;
  const read = known.read(value, path, issues);
  if (read !== undefined) result[known.to] = read;
}

/** Readers to which a null says something. */
export const acceptsNull = new Set<Reader>();

type Unknown = { path: string; issues: Issues; fields: Fields; keyAt: MapNode["at"] };

function unknownKey(key: string, { path, issues, fields, keyAt }: Unknown): void {
  if (issues.isFull) return;
  const near = suggest(key, Object.keys(fields));
  const more = { position: keyAt, ...(near === undefined ? {} : { suggestion: near }) };
  issues.error(path, message("unknown_key", { key }), more);
}

export type At = { node: Node; path: string; issues: Issues };

/** What a value should have been: `text` is a string or a number, `scalar` any of them. */
export type Kind = "mapping" | "list" | "string" | "text" | "scalar" | "boolean" | "number";

export function wrongKind({ node, path, issues }: At, expected: Kind): undefined {
  issues.error(path, message("must_be", { expected, found: describeKind(node) }), { position: node.at });
  return undefined;
}

export function wrongValue({ node, path, issues }: At, said: Message, suggestion?: string): undefined {
  issues.error(path, said, { position: node.at, ...(suggestion === undefined ? {} : { suggestion }) });
  return undefined;
}

export function list(read: Reader): Reader {
  const reader: Reader = (node, path, issues) => {
    if (node.kind !== "list") return wrongKind({ node, path, issues }, "list");
    return node.items.map((item, at) => read(item, `${path}.${at}`, issues)).filter((item) => item !== undefined);
  };
  return withKeysOf(reader, read);
}

/** A mapping whose keys are names: each key must look like `key`, where it is given. */
export function record(read: Reader, key?: RegExp): Reader {
  const reader: Reader = (node, path, issues) => {
    if (isNull(node)) return {};
    if (node.kind !== "map") return wrongKind({ node, path, issues }, "mapping");
    const entries: [string, unknown][] = [];
    for (const [name, { value, keyAt }] of node.entries) {
      if (key !== undefined && !key.test(name)) {
        issues.error(path, message("not_a_name", { name: name.slice(0, 80) }), { position: keyAt });
        continue;
      }
      const item = read(value, `${path}.${name}`, issues);
      if (item !== undefined) entries.push([name, item]);
    }
    return Object.fromEntries(entries);
  };
  return withKeysOf(reader, read);
}

/** A reader that does more with what another has read, and knows the same keys. */
export const refine = (inner: Reader, reader: Reader): Reader => withKeysOf(reader, inner);

export const oneOf =
  (...allowed: readonly string[]): Reader =>
  (node, path, issues) => {
    const text = textOf(node);
    if (text !== undefined && allowed.includes(text)) return text;
    return wrongValue(
      { node, path, issues },
      message("must_be_one_of", { allowed: allowed.join(", ") }),
      text === undefined ? undefined : suggest(text, allowed),
    );
  };
