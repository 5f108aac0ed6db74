// Here-documents: `<<EOF`, `<<-EOF`, `<<"EOF"`, `3<<EOF`, after BuildKit's parser. A word of the instruction's line names
// the document; its lines follow the instruction.
import { expandWords } from "@flotilla/image";

export type Heredoc = {
  name: string;
  /** The lines up to the terminator, each with its line end, as they are written. */
  content: string;
  /** Not quoted: variables in it are put in (COPY and ADD; for RUN that is the shell's work). */
  isExpanded: boolean;
  /** `<<-`: tabs at the beginning of lines are taken away. */
  isChomped: boolean;
};

const HEREDOC = /^\d*<<(-?)([^<]*)$/;
const NOTHING: ReadonlyMap<string, string> = new Map();

/** The heredoc that a word announces, still without content; undefined when it announces none. */
export function parseHeredocWord(word: string): Omit<Heredoc, "content"> | undefined {
  const [, dash, rest] = HEREDOC.exec(word) ?? [];
  if (rest === undefined || rest === "") return undefined;
  // Read with and without its quotes: where the two differ, some part of the name is quoted.
  const names = expandWords(rest, NOTHING, { keepUnset: true });
  const [name] = names;
  if (name === undefined || names.length !== 1) return undefined;
  const [written] = expandWords(rest, NOTHING, { keepUnset: true, keepEscapes: true, quotes: "keep" });
  return { name, isExpanded: name === written, isChomped: dash === "-" };
}

/** The heredocs that a line announces, in order. A line whose quotes do not close announces none. */
export function findHeredocs(line: string): Omit<Heredoc, "content">[] {
  if (!line.includes("<<")) return [];
  let words: string[];
  try {
    words = expandWords(line, NOTHING, { keepUnset: true, keepEscapes: true, quotes: "keep" });
  } catch {
    return [];
  }
  return words.map((word) => parseHeredocWord(word)).filter((heredoc) => heredoc !== undefined);
}

/** What the document says: without leading tabs when it was written `<<-`. */
export function heredocText(heredoc: Heredoc): string {
  return heredoc.isChomped ? heredoc.content.replace(/^\t+/gm, "") : heredoc.content;
}
