// Patterns of .dockerignore and of `COPY --exclude`, by the rules of moby/patternmatcher: a pattern also covers what is
// below a directory that it matches, the last pattern that matches decides, `!` takes back.
import { FlotillaError } from "@flotilla/core";

/** Whether a pattern matches a path or a directory above it. */
type Covers = (path: string) => boolean;
type Pattern = { text: string; isException: boolean; covers: Covers };

/** @throws FlotillaError `invalid` for a pattern that is not well formed. */
export class PatternMatcher {
  readonly #patterns: readonly Pattern[];

  /** @param patterns as `parseIgnoreFile` gives them, or as a user wrote them in `--exclude`. */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns
      .map((pattern) => pattern.trim())
      .filter((pattern) => pattern !== "")
      .map(compile);
  }

  /** Whether a path, relative and with slashes, is matched, itself or through a directory above it. */
  matches(path: string): boolean {
    let isMatched = false;
    for (const pattern of this.#patterns) {
      // An exception has nothing to take back from what is not matched, and a pattern nothing to add to what is.
      if (pattern.isException !== isMatched) continue;
      if (pattern.covers(path)) isMatched = !pattern.isException;
    }
    return isMatched;
  }

  /** Whether a directory is matched and nothing below it can be taken back: a walk need not enter it. */
  canSkipDirectory(path: string): boolean {
    if (!this.matches(path)) return false;
    return !this.#patterns.some(({ isException, text }) => isException && mayReachBelow(text, path));
  }
}

/** Lines of a .dockerignore file as patterns: comments and empty lines gone, paths cleaned. */
export function parseIgnoreFile(text: string): string[] {
  const patterns: string[] = [];
  for (const line of (text.startsWith("\uFEFF") ? text.slice(1) : text).split("\n")) {
    // Only at the very beginning of a line is # a comment.
    const trimmed = line.trim();
    if (line.startsWith("#") || trimmed === "") continue;
    const isException = trimmed.startsWith("!");
    const path = isException ? trimmed.slice(1).trim() : trimmed;
    const cleaned = path === "" ? "" : cleanPath(path);
    patterns.push((isException ? "!" : "") + (cleaned.length > 1 && cleaned.startsWith("/") ? cleaned.slice(1) : cleaned));
  }
  return patterns;
}

function compile(written: string): Pattern {
  const cleaned = cleanPath(written);
  const isException = cleaned.startsWith("!");
  const text = isException ? cleaned.slice(1) : cleaned;
  if (text === "") throw new FlotillaError("invalid", `illegal exclusion pattern: "!"`);
  return { text, isException, covers: coverageOf(text) };
}

function coverageOf(text: string): Covers {
  if (!/[*?[\]\\]/.test(text)) return (path) => path === text || path.startsWith(`${text}/`);
  const rest = text.startsWith("**") ? text.slice(2) : "";
  if (rest !== "" && !/[*?[\]\\.+()|{}$^]/.test(rest)) {
    // `**/name` is by far the most frequent pattern, and `**name` means every path that ends so.
    return (path) => `/${path}/`.includes(`${rest}/`);
  }
  const tokens = tokensOf(text);
  return (path) => walk(tokens, path);
}

type Token =
  | { kind: "char"; char: string }
  /** `?` and `[…]`: one character, never a slash. */
  | { kind: "one"; accepts: (char: string) => boolean }
  /** `*`: any number of characters but slashes. */
  | { kind: "star" }
  /** `**` followed by something: any number of whole directories. */
  | { kind: "directories" }
  /** `**` at the end: everything. */
  | { kind: "rest" };

/**
 * Sets of positions instead of a regular expression: patterns come from outside and must not take exponential time. As no
 * token looks ahead, one walk answers for the path and for all directories above it: a match may end at any slash.
 */
function walk(tokens: readonly Token[], path: string): boolean {
  let positions: readonly number[] = [0];
  for (const token of tokens) {
    if (token.kind === "rest") return true;
    positions = token.kind === "star" || token.kind === "directories" ? spread(token.kind, positions, path) : step(token, positions, path);
    if (positions.length === 0) return false;
  }
  return positions.some((at) => at === path.length || path[at] === "/");
}

function step(token: Extract<Token, { kind: "char" | "one" }>, positions: readonly number[], path: string): number[] {
  const next: number[] = [];
  for (const at of positions) {
    if (at >= path.length) continue;
    const isMatch = token.kind === "char" ? path.startsWith(token.char, at) : path[at] !== "/" && token.accepts(codePointAt(path, at));
    if (isMatch) next.push(at + (token.kind === "char" ? token.char.length : codePointAt(path, at).length));
  }
  return next;
}

/** Positions rise, before and after. */
function spread(kind: "star" | "directories", positions: readonly number[], path: string): number[] {
  const next: number[] = [];
  for (const start of positions) {
    if (kind === "directories" && start > (next.at(-1) ?? -1)) next.push(start);
    for (let at = Math.max(start, (next.at(-1) ?? -1) + 1); at <= path.length; at++) {
      if (kind === "star") next.push(at);
      else if (at > start && path[at - 1] === "/") next.push(at);
      if (kind === "star" && path[at] === "/") break;
    }
  }
  return next;
}

function codePointAt(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at) ?? 0);
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const chars = Array.from(text);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? "";
    if (char === "*" && chars[i + 1] === "*") {
      i++;
      if (chars[i + 1] === "/") i++;
      tokens.push({ kind: i + 1 >= chars.length ? "rest" : "directories" });
    } else if (char === "*") tokens.push({ kind: "star" });
    else if (char === "?") tokens.push({ kind: "one", accepts: () => true });
    else if (char === "\\") tokens.push({ kind: "char", char: chars[++i] ?? malformed(text) });
    else if (char === "[") {
      const set = readSet(chars, i, text);
      tokens.push({ kind: "one", accepts: set.accepts });
      i = set.end;
    } else tokens.push({ kind: "char", char });
  }
  return tokens;
}

/** `[a-z]`, `[^a-z]`; a backslash protects. */
function readSet(chars: readonly string[], start: number, text: string): { accepts: (char: string) => boolean; end: number } {
  const isNegated = chars[start + 1] === "^";
  const ranges: [string, string][] = [];
  let at = start + (isNegated ? 2 : 1);
  const readOne = (): string => {
    if (chars[at] === "\\") at++;
    return chars[at++] ?? malformed(text);
  };
  while (chars[at] !== "]" || ranges.length === 0) {
    if (chars[at] === "]" || chars[at] === "-") malformed(text);
    const low = readOne();
    const isRange = chars[at] === "-";
    if (isRange) at++;
    const high = isRange ? readOne() : low;
    ranges.push([low, high]);
  }
  const isIn = (char: string): boolean => ranges.some(([low, high]) => char >= low && char <= high);
  return { accepts: (char) => isIn(char) !== isNegated, end: at };
}

function malformed(text: string): never {
  throw new FlotillaError("invalid", `syntax error in pattern: ${text}`);
}

/** Whether an exception may match something below a directory, judged by its first parts without wildcards. */
function mayReachBelow(exception: string, directory: string): boolean {
  const parts = exception.split("/");
  const wild = parts.findIndex((part) => /[*?[\\]/.test(part));
  if (wild === -1) return `${exception}/`.startsWith(`${directory}/`);
  const prefix = parts.slice(0, wild).join("/");
  return prefix === "" || `${directory}/`.startsWith(`${prefix}/`) || `${prefix}/`.startsWith(`${directory}/`);
}

/** Go's filepath.Clean: no `.`, no empty parts, `..` taken away where it can be. */
function cleanPath(path: string): string {
  const isAbsolute = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") {
      if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
      else if (!isAbsolute) parts.push("..");
    } else if (part !== "" && part !== ".") parts.push(part);
  }
  const cleaned = (isAbsolute ? "/" : "") + parts.join("/");
  return cleaned === "" ? "." : cleaned;
}
