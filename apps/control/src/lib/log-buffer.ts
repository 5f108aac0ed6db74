/** `source`: whose line it is, where several are in one view. */
export type LogLine = { id: number; stream: "stdout" | "stderr"; time: string; text: string; source?: { name: string; host: string } };
export type LogInput = Omit<LogLine, "id">;

/** Adds lines at the end and drops the oldest beyond `limit`. Ids grow by one and never repeat, so that rows keep their identity. */
export function appendLines(lines: readonly LogLine[], added: readonly LogInput[], limit: number): LogLine[] {
  const nextId = (lines.at(-1)?.id ?? -1) + 1;
  const all = [...lines, ...added.map((line, index) => ({ ...line, id: nextId + index }))];
  return all.length > limit ? all.slice(all.length - limit) : all;
}

export type TextRange = { from: number; to: number };

/** Where `needle` occurs in `text`, without regard to case, not overlapping. */
export function findMatches(text: string, needle: string): TextRange[] {
  if (needle === "") return [];
  const ranges: TextRange[] = [];
  const haystack = text.toLowerCase();
  const wanted = needle.toLowerCase();
  for (let at = haystack.indexOf(wanted); at !== -1; at = haystack.indexOf(wanted, at + wanted.length)) {
    ranges.push({ from: at, to: at + wanted.length });
  }
  return ranges;
}

export type Marked = { text: string; isMatch: boolean };

/** The part of a line from `offset` on, cut where matches (in positions of the whole line) begin and end. */
export function markRanges(text: string, offset: number, ranges: readonly TextRange[]): Marked[] {
  const parts: Marked[] = [];
  let at = 0;
  for (const range of ranges) {
    const from = Math.max(at, range.from - offset);
    const to = Math.min(text.length, range.to - offset);
    if (to <= from) continue;
    if (from > at) parts.push({ text: text.slice(at, from), isMatch: false });
    parts.push({ text: text.slice(from, to), isMatch: true });
    at = to;
  }
  if (at < text.length) parts.push({ text: text.slice(at), isMatch: false });
  return parts;
}
