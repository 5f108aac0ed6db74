// Shell patterns of `${x#pattern}`, `${x%pattern}` and `${x/pattern/other}`: `*`, `?` and a backslash before what is
// meant as it stands. Matched by walking sets of positions and not by a regular expression, because the pattern comes
// from whoever wrote the Dockerfile and must not be able to take exponential time.
import { FlotillaError } from "@flotilla/core";

type Token = { kind: "any" } | { kind: "one" } | { kind: "char"; char: string };

/** Steps one replacement may take; more is refused. */
const MAX_STEPS = 50_000_000;

/** `${x#pattern}` (shortest) and `${x##pattern}` (longest): the value without the matching beginning. */
export function trimPrefix(value: string, pattern: string, isLongest: boolean): string {
  const end = matchEnd(Array.from(value), { tokens: tokensOf(pattern), start: 0, isLongest });
  return end === undefined ? value : Array.from(value).slice(end).join("");
}

/** `${x%pattern}` (shortest) and `${x%%pattern}` (longest): the value without the matching end. */
export function trimSuffix(value: string, pattern: string, isLongest: boolean): string {
  const chars = Array.from(value).reverse();
  const end = matchEnd(chars, { tokens: tokensOf(pattern).reverse(), start: 0, isLongest });
  return end === undefined ? value : chars.slice(end).reverse().join("");
}

/** `${x/pattern/other}` and `${x//pattern/other}`: the first match, or each, replaced; matches are as long as they can be. */
export function replacePattern(value: string, pattern: string, replacement: { text: string; isAll: boolean }): string {
  const chars = Array.from(value);
  const tokens = tokensOf(pattern);
  if (chars.length ** 2 * (tokens.length + 1) > MAX_STEPS)
    throw new FlotillaError("invalid", "value is too long for a pattern substitution");
  let out = "";
  let lastEnd = -1;
  for (let at = 0; at <= chars.length;) {
    const end = matchEnd(chars, { tokens, start: at, isLongest: true });
    const isMatch = end !== undefined && !(end === at && at === lastEnd);
    if (isMatch) {
      out += replacement.text;
      if (!replacement.isAll) return out + chars.slice(end).join("");
      lastEnd = end;
    }
    if (isMatch && end > at) at = end;
    else out += chars[at++] ?? "";
  }
  return out;
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  const chars = Array.from(pattern);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] ?? "";
    if (char === "*") tokens.push({ kind: "any" });
    else if (char === "?") tokens.push({ kind: "one" });
    else if (char === "\\" && i + 1 < chars.length) tokens.push({ kind: "char", char: chars[++i] ?? "" });
    else tokens.push({ kind: "char", char });
  }
  return tokens;
}

/** Where a match that begins at `start` ends, or undefined. Takes time proportional to text × pattern. */
function matchEnd(chars: readonly string[], match: { tokens: readonly Token[]; start: number; isLongest: boolean }): number | undefined {
  let ends = new Set([match.start]);
  for (const token of match.tokens) {
    const next = new Set<number>();
    if (token.kind === "any") {
      // Positions are added in rising order, so the first is the least.
      const [first = chars.length] = ends;
      for (let at = first; at <= chars.length; at++) next.add(at);
    } else {
      for (const at of ends) if (at < chars.length && (token.kind === "one" || chars[at] === token.char)) next.add(at + 1);
    }
    if (next.size === 0) return undefined;
    ends = next;
  }
  let best = match.isLongest ? -1 : Number.POSITIVE_INFINITY;
  for (const at of ends) best = match.isLongest ? Math.max(best, at) : Math.min(best, at);
  return best;
}
