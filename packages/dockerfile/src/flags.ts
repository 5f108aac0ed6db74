// Flags between an instruction's name and its arguments: `COPY --from=build --link …`.
import { dockerfileError, type Position } from "./location.ts";
import { suggest } from "@flotilla/core";

export type Flag = { name: string; value: string | undefined; at: Position };

export type FlagTexts = { flags: { text: string; offset: number }[]; rest: string; restOffset: number };

/** Takes the words that begin with `--` from the front of a text; quotes and escapes in them are read as the shell does. */
export function extractFlags(text: string, escape: string): FlagTexts {
  const flags: FlagTexts["flags"] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && /\s/.test(text.charAt(at))) at++;
    if (!text.startsWith("--", at)) return { flags, rest: text.slice(at), restOffset: at };
    const offset = at;
    const word = readFlagWord(text, at, escape);
    at = word.end;
    // `--` alone ends the flags.
    if (word.text === "--") return { flags, rest: text.slice(at).trimStart(), restOffset: at };
    flags.push({ text: word.text, offset });
  }
}

function readFlagWord(text: string, start: number, escape: string): { text: string; end: number } {
  let word = "";
  let quote = "";
  let at = start;
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote === "" && /\s/.test(char)) break;
    if (char === escape && at + 1 < text.length) word += text.charAt(++at);
    else if (char === quote) quote = "";
    else if (quote === "" && (char === '"' || char === "'")) quote = char;
    else word += char;
  }
  return { text: word, end: at };
}

/** Reads the flags that an instruction knows; whoever is done calls `finish`, which refuses the others. */
export class FlagReader {
  readonly #flags: readonly Flag[];
  readonly #known = new Map<string, { isRepeatable: boolean }>();

  constructor(flags: readonly Flag[]) {
    this.#flags = flags;
  }

  /** The value of `--name=value`, or undefined. */
  string(name: string): string | undefined {
    this.#known.set(name, { isRepeatable: false });
    return this.#values(name)[0];
  }

  /** All values of a flag that may be repeated. */
  strings(name: string): string[] {
    this.#known.set(name, { isRepeatable: true });
    return this.#values(name);
  }

  /** `--name` and `--name=true` are true, `--name=false` and nothing are false. */
  boolean(name: string): boolean {
    this.#known.set(name, { isRepeatable: false });
    const flag = this.#flags.find((item) => item.name === name);
    if (flag === undefined) return false;
    if (flag.value === undefined || flag.value.toLowerCase() === "true") return true;
    if (flag.value.toLowerCase() === "false") return false;
    throw dockerfileError(flag.at, `expecting boolean value for flag ${name}, not: ${flag.value}`);
  }

  positionOf(name: string): Position | undefined {
    return this.#flags.find((flag) => flag.name === name)?.at;
  }

  /** @throws FlotillaError `invalid` for a flag that nobody asked for, or one given twice. */
  finish(): void {
    const seen = new Set<string>();
    for (const { name, at } of this.#flags) {
      const known = this.#known.get(name);
      if (known === undefined) {
        const near = suggest(name, [...this.#known.keys()]);
        throw dockerfileError(at, `unknown flag: --${name}`, near === undefined ? undefined : `--${near}`);
      }
      if (seen.has(name) && !known.isRepeatable) throw dockerfileError(at, `duplicate flag specified: ${name}`);
      seen.add(name);
    }
  }

  #values(name: string): string[] {
    const flags = this.#flags.filter((flag) => flag.name === name);
    return flags.map((flag) => {
      if (flag.value === undefined || flag.value === "") throw dockerfileError(flag.at, `missing a value on flag: ${name}`);
      return flag.value;
    });
  }
}
