import { type Message, message } from "../message.ts";
import { isNull, textOf } from "../tree.ts";
import { acceptsNull, list, type Reader, record, wrongKind, wrongValue } from "./reader.ts";

/** A string and nothing else, as the schema has it for images and names. */
export const text: Reader = (node, path, issues) =>
  node.kind === "scalar" && typeof node.value === "string" ? node.value : wrongKind({ node, path, issues }, "string");

/** A string, or a number meant as one. */
export const loose: Reader = (node, path, issues) => {
  const value = node.kind === "scalar" && typeof node.value !== "boolean" ? textOf(node) : undefined;
  return value ?? wrongKind({ node, path, issues }, "text");
};

/** The value of a label or option: any scalar; null is empty. */
export const value: Reader = (node, path, issues) =>
  node.kind === "scalar" ? (textOf(node) ?? "") : wrongKind({ node, path, issues }, "scalar");

/** The value of a variable; null stays. */
export const nullable: Reader = (node, path, issues) => (isNull(node) ? null : value(node, path, issues));

export const texts = list(loose);
export const labels = record(value);
export const variables = record(nullable);

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  y: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  n: false,
  off: false,
  "0": false,
};

export const bool: Reader = (node, path, issues) => {
  const known = BOOLEANS[(textOf(node) ?? "").toLowerCase()];
  return known ?? wrongKind({ node, path, issues }, "boolean");
};

export const number: Reader = (node, path, issues) => {
  const source = textOf(node);
  const parsed =
    source === undefined || source.trim() === "" || typeof (node.kind === "scalar" && node.value) === "boolean"
      ? Number.NaN
      : Number(source);
  return Number.isFinite(parsed) ? parsed : wrongKind({ node, path, issues }, "number");
};

export const integer: Reader = (node, path, issues) => {
  const parsed = number(node, path, issues);
  if (parsed === undefined) return undefined;
  return Number.isSafeInteger(parsed)
    ? parsed
    : wrongValue({ node, path, issues }, message("must_be_whole", { found: textOf(node) ?? "" }));
};

/** A whole number in a range. */
export const between =
  (min: number, max: number): Reader =>
  (node, path, issues) => {
    const parsed = integer(node, path, issues);
    if (typeof parsed !== "number") return undefined;
    return parsed >= min && parsed <= max
      ? parsed
      : wrongValue({ node, path, issues }, message("must_be_between", { min, max, found: parsed }));
  };

/** Permission bits: `0440` and `"0440"` are octal, a number without a leading zero is what YAML reads. */
export const mode: Reader = (node, path, issues) => {
  const source = node.kind === "scalar" ? node.text : "";
  const bits =
    /^0o?[0-7]+$/.test(source) || (node.kind === "scalar" && typeof node.value === "string" && /^[0-7]+$/.test(source))
      ? Number.parseInt(source.replace("o", ""), 8)
      : Number(source);
  return Number.isInteger(bits) && bits >= 0 && bits <= 0o7777 && source !== ""
    ? bits
    : wrongValue({ node, path, issues }, message("must_be_mode", { found: source }));
};

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|w))+$/;

/** `1m30s` in milliseconds; undefined when it is no duration. */
export function parseDurationMs(source: string): number | undefined {
  if (source === "0") return 0;
  if (!DURATION.test(source)) return undefined;
  return [...source.matchAll(/(\d+(?:\.\d+)?)([a-zµ]+)/g)].reduce(
    (total, [, count, unit]) => total + Number(count) * (UNIT_MS[unit ?? ""] ?? 0),
    0,
  );
}

export const duration: Reader = (node, path, issues) => {
  const source = textOf(node) ?? "";
  const said = (): Message => (source === "" ? message("must_be_duration_empty") : message("must_be_duration", { found: source }));
  return parseDurationMs(source) ?? wrongValue({ node, path, issues }, said());
};

const POWER: Readonly<Record<string, number>> = { b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/** `64m`, `1.5gb`, `1024` in bytes; undefined when it is no size. */
export function parseBytes(source: string): number | undefined {
  const [, count, unit = "b"] = /^(\d+(?:\.\d+)?) ?(?:([bkmgtp])(?:i?b)?)?$/i.exec(source.trim()) ?? [];
  if (count === undefined) return undefined;
  const size = Math.floor(Number(count) * 1024 ** (POWER[unit.toLowerCase()] ?? 0));
  return Number.isSafeInteger(size) ? size : undefined;
}

export const bytes: Reader = (node, path, issues) => {
  const source = textOf(node) ?? "";
  const said = (): Message => (source === "" ? message("must_be_size_empty") : message("must_be_size", { found: source }));
  return parseBytes(source) ?? wrongValue({ node, path, issues }, said());
};

/** A size, or -1 for "no limit". */
export const bytesOrUnlimited: Reader = (node, path, issues) => (textOf(node) === "-1" ? -1 : bytes(node, path, issues));

for (const reader of [labels, variables]) acceptsNull.add(reader);
