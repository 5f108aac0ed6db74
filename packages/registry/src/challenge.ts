/** One challenge of `WWW-Authenticate` (RFC 9110 11.6.1); names are in lower case. */
export type Challenge = { scheme: string; parameters: ReadonlyMap<string, string> };

/** Longer headers are cut: no challenge is that long, and the parser need not wonder. */
const MAX_LENGTH = 8192;
const TOKEN = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/** Reads as far as the header is well formed: `Bearer realm="…",service="…", Basic realm="…"`. */
export function parseChallenges(header: string): Challenge[] {
  const text = header.slice(0, MAX_LENGTH);
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const skip = (): void => {
    while (at < text.length && " \t,".includes(text.charAt(at))) at++;
  };
  const read = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return undefined;
    at = pattern.lastIndex;
    return match[1] ?? match[0];
  };
  for (skip(); at < text.length; skip()) {
    const name = read(TOKEN);
    if (name === undefined) break;
    while (text[at] === " " && text[at + 1] === "=") at++;
    if (text[at] !== "=") {
      challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
      continue;
    }
    at++;
    while (text[at] === " ") at++;
    const value = text[at] === '"' ? read(QUOTED)?.replace(/\\(.)/g, "$1") : read(TOKEN);
    if (value === undefined) break;
    challenges.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return challenges;
}
