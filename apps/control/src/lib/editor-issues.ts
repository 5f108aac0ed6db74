/** A mistake and where it is, lines and columns beginning at 1. */
export type EditorIssue = { severity: "error" | "warning"; text: string; line: number; column: number };

export type IssueRange = { from: number; to: number };

/** Which part of a text a mistake underlines: the word at its place, at least one character, also when the text has become shorter since. */
export function issueRange(text: string, { line, column }: Pick<EditorIssue, "line" | "column">): IssueRange {
  const lines = text.split("\n");
  const index = Math.min(Math.max(1, line), lines.length) - 1;
  const start = lines.slice(0, index).reduce((length, each) => length + each.length + 1, 0);
  const content = lines[index] ?? "";
  const offset = Math.min(Math.max(1, column) - 1, Math.max(0, content.length - 1));
  const word = /^[^\s:]*/.exec(content.slice(offset))?.[0] ?? "";
  const from = start + offset;
  return { from, to: Math.min(text.length, from + Math.max(1, word.length)) };
}
