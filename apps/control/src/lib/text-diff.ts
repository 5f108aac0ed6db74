import { diffLines } from "diff";

export type DiffRow =
  | { kind: "same" | "added" | "removed"; before: number | null; after: number | null; text: string }
  | { kind: "skipped"; count: number };

/** Lines of two texts side by side in time; of what is the same only `context` lines around changes. Line numbers begin at 1. */
export function diffTexts(before: string, after: string, context = 3): DiffRow[] {
  let [left, right] = [0, 0];
  const rows = diffLines(before, after).flatMap(({ value, added, removed }): DiffRow[] =>
    splitLines(value).map((text) => {
      if (added) return { kind: "added", before: null, after: (right += 1), text };
      if (removed) return { kind: "removed", before: (left += 1), after: null, text };
      return { kind: "same", before: (left += 1), after: (right += 1), text };
    }),
  );
  return fold(rows, context);
}

function splitLines(text: string): string[] {
  return (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
}

function fold(rows: readonly DiffRow[], context: number): DiffRow[] {
  const near = new Set<number>();
  for (const [index, row] of rows.entries()) {
    if (row.kind === "same") continue;
    for (let at = index - context; at <= index + context; at += 1) near.add(at);
  }
  const folded: DiffRow[] = [];
  for (const [index, row] of rows.entries()) {
    const last = folded.at(-1);
    if (near.has(index)) folded.push(row);
    else if (last?.kind === "skipped") last.count += 1;
    else folded.push({ kind: "skipped", count: 1 });
  }
  return folded;
}

export type FileDiff = { name: string; rows: DiffRow[] };

/** The files that are not the same in two revisions, by name. */
export function diffFiles(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): FileDiff[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => ({ name, rows: diffTexts(before[name] ?? "", after[name] ?? "") }));
}
