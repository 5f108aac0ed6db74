/** Sections whose entries have names that people choose. */
const NAMED = new Set(["services", "networks", "volumes", "secrets", "configs"]);

/** `note`: what becomes of a key that is not honoured, in the reader's language. */
export type ComposeKey = { path: string; note: string };
/** `path`: keys above the one that is being written, as the file has them. `from`: column at which the word begins, counted from 0. */
export type KeyPlace = { path: string[]; from: number; word: string };

type Line = { keyAt: number; dashAt: number | null; key: string | null };

/** Where a key is being written; null where a value, a comment or nothing that can become a key is. */
export function findKeyPlace(lines: readonly string[], lineIndex: number, column: number): KeyPlace | null {
  const before = (lines[lineIndex] ?? "").slice(0, column);
  const match = /^( *)((?:- +)*)([\w.-]*)$/.exec(before);
  if (match === null) return null;
  const [, indent = "", dashes = "", word = ""] = match;
  const from = indent.length + dashes.length;
  const path = dashes === "" ? pathAbove(lines, lineIndex, from) : pathAbove(lines, lineIndex, indent.length + 1);
  return { path, from, word };
}

/** Keys that the lines above are inside of, seen from something that begins left of `limit` columns. */
function pathAbove(lines: readonly string[], lineIndex: number, below: number): string[] {
  const path: string[] = [];
  let limit = below;
  for (let index = lineIndex - 1; index >= 0 && limit > 0; index -= 1) {
    const line = parseLine(lines[index] ?? "");
    if (line === null) continue;
    if (line.key !== null && line.keyAt < limit) {
      path.unshift(line.key);
      limit = line.dashAt === null ? line.keyAt : line.dashAt + 1;
    } else if (line.dashAt !== null && line.dashAt < limit) limit = line.dashAt + 1;
  }
  return path;
}

function parseLine(text: string): Line | null {
  const match = /^( *)((?:- +)*)(?:"?([\w./-]+)"?\s*:(?:\s|$))?/.exec(text);
  if (match === null || /^\s*(#|$)/.test(text)) return null;
  const [, indent = "", dashes = "", key] = match;
  return { keyAt: indent.length + dashes.length, dashAt: dashes === "" ? null : indent.length, key: key ?? null };
}

/** The keys that may stand at a place. Names that people chose are passed over. */
export function keysAt(keys: readonly ComposeKey[], path: readonly string[]): { key: string; note: string }[] {
  const known = new Set(keys.map((key) => key.path));
  let prefix = "";
  for (const [index, part] of path.entries()) {
    if (index === 1 && NAMED.has(path[0] ?? "")) continue;
    const next = prefix === "" ? part : `${prefix}.${part}`;
    const isKnown = index === 0 ? NAMED.has(part) || known.has(next) : known.has(next);
    if (isKnown) prefix = next;
    else if (index === 0) return [];
  }
  // Directly below a section stand names.
  if (path.length === 1 && NAMED.has(path[0] ?? "")) return [];
  const start = prefix === "" ? "" : `${prefix}.`;
  const found = keys
    .filter((key) => key.path.startsWith(start) && !key.path.slice(start.length).includes("."))
    .map(({ path: whole, note }) => ({ key: whole.slice(start.length), note }));
  return path.length === 0
    ? [...new Map([...[...NAMED].map((key) => ({ key, note: "" })), ...found].map((item) => [item.key, item])).values()]
    : found;
}
