export type FileKind = "added" | "changed" | "removed";

export type LayerFile = { path: string; kind: FileKind; sizeBytes: number; hiddenBytes: number };

/** Signs before a path and a count, as `git` and `diff` have taught everybody to read them. */
export const KIND_SIGN: Readonly<Record<FileKind, string>> = { added: "+", changed: "~", removed: "−" };

export const KIND_COLOR: Readonly<Record<FileKind, string>> = { added: "text-ok", changed: "text-info", removed: "text-bad" };

/** Entries of one kind (null for all) whose path contains a text, in any case. */
export function filterFiles<File extends LayerFile>(files: readonly File[], wanted: { text: string; kind: FileKind | null }): File[] {
  const text = wanted.text.trim().toLowerCase();
  return files.filter((file) => (wanted.kind === null || file.kind === wanted.kind) && file.path.toLowerCase().includes(text));
}

/** A part of a whole in percent; 0 of nothing. */
export function shareOf(part: number, whole: number): number {
  return whole > 0 ? Math.min(100, (part / whole) * 100) : 0;
}
