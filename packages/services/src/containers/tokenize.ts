import { FlotillaError } from "@flotilla/core";

/**
 * Cuts a pasted command line into words as a POSIX shell does: single quotes, double quotes with backslash, backslash
 * outside, line continuation, `#` comments. Nothing is expanded and nothing is run: `$X`, back-ticks, `|`, `;`, `>` and
 * such outside quotes are an error that names them, since the result would not be what the shell makes of it.
 */
export function tokenize(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < line.length) {
    const char = line.charAt(at);
    if (char === "\\" && /^\\\r?\n/.test(line.slice(at, at + 3))) {
      at += line.charAt(at + 1) === "\r" ? 3 : 2;
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
    } else if (char === "#" && word === undefined) {
      const end = line.indexOf("\n", at);
      at = end === -1 ? line.length : end;
    } else {
      const piece = readPiece(line, at);
      word = (word ?? "") + piece.text;
      at = piece.end;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

type Piece = { text: string; end: number };

function readPiece(line: string, at: number): Piece {
  const char = line.charAt(at);
  if (char === "'") return readSingleQuoted(line, at);
  if (char === '"') return readDoubleQuoted(line, at);
  if (char === "\\") {
    if (at + 1 >= line.length) throw new FlotillaError("invalid", "the line ends with a backslash");
    return { text: line.charAt(at + 1), end: at + 2 };
  }
  refuseExpansion(line, at);
  if ("|;&<>()`".includes(char))
    throw new FlotillaError("invalid", `"${char}" means something to a shell: paste one docker run command only, or quote it`);
  return { text: char, end: at + 1 };
}

function readSingleQuoted(line: string, at: number): Piece {
  const end = line.indexOf("'", at + 1);
  if (end === -1) throw new FlotillaError("invalid", "a single quote is not closed");
  return { text: line.slice(at + 1, end), end: end + 1 };
}

function readDoubleQuoted(line: string, at: number): Piece {
  let text = "";
  for (let next = at + 1; next < line.length; next += 1) {
    const char = line.charAt(next);
    if (char === '"') return { text, end: next + 1 };
    if (char === "\\" && '"\\$`\n'.includes(line.charAt(next + 1))) {
      next += 1;
      if (line.charAt(next) !== "\n") text += line.charAt(next);
      continue;
    }
    refuseExpansion(line, next);
    if (char === "`") throw new FlotillaError("invalid", "`…` would be run by a shell: write its result instead");
    text += char;
  }
  throw new FlotillaError("invalid", "a double quote is not closed");
}

function refuseExpansion(line: string, at: number): void {
  const match = /^\$(\(|\{?[A-Za-z_][A-Za-z0-9_]*\}?)/.exec(line.slice(at, at + 80));
  if (match !== null) throw new FlotillaError("invalid", `${match[0]} would be expanded by a shell: write its value instead`);
}
