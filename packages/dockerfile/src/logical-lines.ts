// The lines of a Dockerfile as its instructions see them: comments gone, continuations joined, here-documents attached.
// Follows the main loop of BuildKit's parser (frontend/dockerfile/parser), which also decides the odd cases: a comment
// inside a continued instruction is skipped, an empty line inside one is skipped with a warning, and the white space
// that begins a continuation line is kept.
import { parseJsonStrings } from "@flotilla/image";
import { extractFlags } from "./flags.ts";
import { findHeredocs, type Heredoc } from "./heredoc.ts";
import { dockerfileError, type Location, type Position } from "./location.ts";

export type LogicalLine = {
  /** Continuations joined, escapes at line ends removed. */
  text: string;
  location: Location;
  heredocs: Heredoc[];
  hasEmptyContinuation: boolean;
  /** Where a character of `text` stands in the file. */
  positionAt(offset: number): Position;
};

type Segment = { offset: number; line: number; column: number };
type Cursor = { lines: readonly string[]; next: number };

/** Instructions that may have here-documents, also behind ONBUILD. */
const WITH_HEREDOCS = /^(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s+/i;

/** @throws FlotillaError `invalid` for a here-document without end. */
export function readLogicalLines(lines: readonly string[], escape: string): LogicalLine[] {
  const cursor: Cursor = { lines, next: 0 };
  const result: LogicalLine[] = [];
  while (cursor.next < lines.length) {
    const line = readLogicalLine(cursor, escape);
    if (line !== undefined) result.push(line);
  }
  return result;
}

function readLogicalLine(cursor: Cursor, escape: string): LogicalLine | undefined {
  const raw = withoutReturn(cursor.lines[cursor.next++] ?? "");
  const startLine = cursor.next;
  const stripped = raw.trimStart();
  if (stripped === "" || stripped.startsWith("#")) return undefined;
  const column = raw.length - stripped.length + 1;
  const first = splitContinuation(stripped, escape);
  const parts = [first.text];
  const segments: Segment[] = [{ offset: 0, line: startLine, column }];
  let length = first.text.length;
  let hasEmptyContinuation = false;
  for (let isOpen = first.isContinued; isOpen && cursor.next < cursor.lines.length;) {
    const more = withoutReturn(cursor.lines[cursor.next++] ?? "");
    const trimmed = more.trim();
    if (trimmed.startsWith("#")) continue;
    if (trimmed === "") {
      hasEmptyContinuation = true;
      continue;
    }
    const part = splitContinuation(more, escape);
    segments.push({ offset: length, line: cursor.next, column: 1 });
    parts.push(part.text);
    length += part.text.length;
    isOpen = part.isContinued;
  }
  const text = parts.join("");
  if (text.trim() === "") return undefined;
  const heredocs = announcedHeredocs(text, escape).map((heredoc) => readHeredoc(cursor, heredoc, { line: startLine, column }));
  return {
    text,
    location: { line: startLine, column, endLine: cursor.next },
    heredocs,
    hasEmptyContinuation,
    positionAt: (offset) => positionIn(segments, offset),
  };
}

/** An escape at the end continues the line, unless it is itself escaped. */
function splitContinuation(line: string, escape: string): { text: string; isContinued: boolean } {
  let end = line.length;
  while (end > 0 && " \t".includes(line.charAt(end - 1))) end--;
  const trimmed = line.slice(0, end);
  const isContinued = trimmed.endsWith(escape) && !trimmed.endsWith(escape + escape);
  return isContinued ? { text: trimmed.slice(0, -1), isContinued } : { text: line, isContinued };
}

function announcedHeredocs(text: string, escape: string): Omit<Heredoc, "content">[] {
  const [head] = text.includes("<<") ? (WITH_HEREDOCS.exec(text) ?? []) : [];
  if (head === undefined) return [];
  // In the JSON form `<<` is an argument like any other.
  const { rest } = extractFlags(text.slice(head.length), escape);
  return parseJsonStrings(rest.trim()) === undefined ? findHeredocs(text) : [];
}

/** Without the carriage return of a DOS line end. */
function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}

function readHeredoc(cursor: Cursor, heredoc: Omit<Heredoc, "content">, at: Position): Heredoc {
  const content: string[] = [];
  while (cursor.next < cursor.lines.length) {
    const line = cursor.lines[cursor.next++] ?? "";
    const bare = withoutReturn(line);
    const candidate = heredoc.isChomped ? bare.replace(/^\t+/, "") : bare;
    if (candidate === heredoc.name) return { ...heredoc, content: content.map((item) => `${item}\n`).join("") };
    content.push(line);
  }
  throw dockerfileError(at, `unterminated heredoc: no line "${heredoc.name}" ends it`);
}

function positionIn(segments: readonly Segment[], offset: number): Position {
  const segment = segments.findLast((item) => item.offset <= offset);
  return segment === undefined ? { line: 1, column: 1 } : { line: segment.line, column: segment.column + offset - segment.offset };
}
