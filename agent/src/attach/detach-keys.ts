import { FlotillaError } from "@flotilla/core";

/** ctrl-p, ctrl-q */
export const DEFAULT_DETACH_KEYS: Uint8Array = Uint8Array.of(16, 17);

const CTRL_SYMBOLS: Readonly<Record<string, number>> = { "@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, _: 31 };

/**
 * Reads a sequence such as `ctrl-p,ctrl-q` or `a,ctrl-]`: single characters, or `ctrl-` and a letter or one of @[\]^_.
 * Empty or missing is the default.
 * @throws FlotillaError `invalid` in Docker's words.
 */
export function parseDetachKeys(text: string | null | undefined): Uint8Array {
  if (text === null || text === undefined || text === "") return DEFAULT_DETACH_KEYS;
  return Uint8Array.from(text.split(","), (key) => {
    const code = parseKey(key);
    if (code === undefined) throw new FlotillaError("invalid", `Invalid detach keys (${text}) provided`);
    return code;
  });
}

function parseKey(key: string): number | undefined {
  if (key.length === 1) {
    const code = key.charCodeAt(0);
    return code < 128 ? code : undefined;
  }
  const control = /^ctrl-(.)$/i.exec(key)?.[1]?.toLowerCase();
  if (control === undefined) return undefined;
  return control >= "a" && control <= "z" ? control.charCodeAt(0) - 96 : CTRL_SYMBOLS[control];
}

/** Looks for a key sequence in input that comes in pieces. Keys that may be its beginning are held back until that is known. */
export class DetachScanner {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What goes on to the program, and whether the sequence is complete (what came behind it is dropped). */
  scan(input: Uint8Array): { output: Buffer; isDetached: boolean } {
    const output: number[] = [];
    for (const byte of input) {
      if (byte !== this.#keys[this.#matched] && this.#matched > 0) {
        output.push(...this.#keys.subarray(0, this.#matched));
        this.#matched = 0;
      }
      if (byte !== this.#keys[this.#matched]) output.push(byte);
      else if (++this.#matched === this.#keys.length) {
        this.#matched = 0;
        return { output: Buffer.from(output), isDetached: true };
      }
    }
    return { output: Buffer.from(output), isDetached: false };
  }
}
