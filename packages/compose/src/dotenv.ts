import { substitute, TemplateError, type Variables } from "./interpolate.ts";
import type { Issues } from "./issue.ts";
import { message } from "./message.ts";

const KEY = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*(?:([=:])[ \t]*)?/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", a: "\u0007", b: "\b", f: "\f", v: "\v" };

export type DotenvFile = { file: string; text: string; issues: Issues; variables: Variables; isRaw?: boolean };

/**
 * Parses an `.env` file as Docker Compose does: `KEY=value`, `export`, comments, `'literal'` and `"escaped"` values of several lines,
 * variables in what is not in single quotes (own earlier ones count too). A name alone takes the value that `variables` has.
 * `isRaw`: values are taken as they stand. Mistakes go to `issues` with their line.
 */
export function parseDotenv(source: DotenvFile): Map<string, string> {
  const result = new Map<string, string>();
  const text = source.text.replace(/^\uFEFF/, "").replace(/\r\n/g, "\n");
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const start = at;
    const end = endOfLine(text, at);
    const content = text.slice(at, end);
    at = end + 1;
    if (/^[ \t]*(#|$)/.test(content)) {
      line++;
      continue;
    }
    const entry = KEY.exec(content);
    const position = { file: source.file, line, column: 1 };
    const [whole, key, separator] = entry ?? [];
    if (whole === undefined || key === undefined || (separator === undefined && whole.trimEnd() !== content.trimEnd())) {
      source.issues.error("", message("env_text", { text: content.trim().slice(0, 60) }), { position });
      line++;
      continue;
    }
    if (separator === undefined) {
      const inherited = source.variables(key);
      if (inherited !== undefined) result.set(key, inherited);
      line++;
      continue;
    }
    const value = readValue(text, start + whole.length, source.isRaw === true);
    if (value === undefined) {
      source.issues.error("", message("env_quote_open", { key }), { position });
      return result;
    }
    at = endOfLine(text, value.end) + 1;
    line += text.slice(start, at - 1).split("\n").length;
    result.set(key, expand(value, { source, own: result, line: position.line }));
  }
  return result;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}

/** `end`: behind the last character of the value. */
type Value = { text: string; end: number; isTemplate: boolean };

function readValue(text: string, from: number, isRaw: boolean): Value | undefined {
  const quote = text.charAt(from);
  const end = endOfLine(text, from);
  if (isRaw) return { text: text.slice(from, end), end, isTemplate: false };
  if (quote === "'" || quote === '"') return readQuoted(text, from + 1, quote);
  const plain = text.slice(from, end);
  const comment = plain.search(/(^|[ \t])#/);
  return { text: (comment === -1 ? plain : plain.slice(0, comment)).trim(), end, isTemplate: true };
}

function readQuoted(text: string, from: number, quote: string): Value | undefined {
  let result = "";
  for (let at = from; at < text.length; at++) {
    const next = text.charAt(at);
    if (next === quote) return { text: result, end: at + 1, isTemplate: quote === '"' };
    if (next !== "\\") result += next;
    else {
      const escaped = text.charAt(++at);
      if (quote === "'") result += escaped === "'" ? "'" : `\\${escaped}`;
      else result += escaped === "$" ? "$$" : (ESCAPES[escaped] ?? escaped);
    }
  }
  return undefined;
}

function expand(value: Value, { source, own, line }: { source: DotenvFile; own: ReadonlyMap<string, string>; line: number }): string {
  if (!value.isTemplate) return value.text;
  try {
    return substitute(value.text, { variables: (name) => source.variables(name) ?? own.get(name), onUnset: () => undefined });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const said = { ...message("invalid_template", { text: value.text }), why: error.said };
    source.issues.error("", said, { position: { file: source.file, line, column: 1 } });
    return value.text;
  }
}
