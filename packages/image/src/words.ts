// Words of a Dockerfile instruction: quotes, backslashes and variables, after the shell lexer of Docker's builder
// (BuildKit, frontend/dockerfile/shell). The escape character is the Dockerfile's (`# escape=`).
import { FlotillaError } from "@flotilla/core";
import { replacePattern, trimPrefix, trimSuffix } from "./shell-pattern.ts";

/** Values of variables by name. */
export type Variables = ReadonlyMap<string, string>;

export type ExpandOptions = {
  /** `\` or a back-tick. */
  escape?: string;
  /** `remove` takes quotes away, `keep` reads them and leaves them in, `literal` gives them no meaning (heredocs). */
  quotes?: "remove" | "keep" | "literal";
  /** Escape characters stay in the result. */
  keepEscapes?: boolean;
  /** Variables without a value stay as they are written, and no error is raised for them. */
  keepUnset?: boolean;
  /** Told the name of each variable that is looked up and has no value. */
  onUnset?: (name: string) => void;
};

/** `${a:-${b:-…}}`: deeper than anybody writes, and far from the end of the stack. */
const MAX_DEPTH = 100;
const DEFAULT_ESCAPE = "\\";

/** Splits at white space outside quotes; quotes and escapes stay in the words. */
export function splitWords(text: string, escape = DEFAULT_ESCAPE): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === escape && quote !== "'" && i + 1 < text.length) {
      word += char + text.charAt(++i);
    } else if (quote === "" && /\s/.test(char)) {
      if (word !== "") words.push(word);
      word = "";
    } else {
      if (char === quote) quote = "";
      else if (quote === "" && (char === '"' || char === "'")) quote = char;
      word += char;
    }
  }
  if (quote !== "") throw unterminated(quote === '"' ? "double-quote" : "single-quote");
  if (word !== "") words.push(word);
  return words;
}

/**
 * Takes quotes and escapes away and puts variables in: `$A`, `${A}`, `${A:-x}`, `${A-x}`, `${A:+x}`, `${A+x}`, `${A:?x}`,
 * `${A?x}`, `${A#x}`, `${A##x}`, `${A%x}`, `${A%%x}`, `${A/x/y}`, `${A//x/y}`. Unknown variables are empty.
 * @throws FlotillaError `invalid`.
 */
export function expandWord(word: string, variables: Variables, options: ExpandOptions = {}): string {
  return expand(word, variables, options).text;
}

/** As `expandWord`, but white space outside quotes, also such that came from a variable, divides the result into words. */
export function expandWords(text: string, variables: Variables, options: ExpandOptions = {}): string[] {
  return expand(text, variables, options).words;
}

function expand(word: string, variables: Variables, options: ExpandOptions): { text: string; words: string[] } {
  try {
    return new Lexer(word, variables, options).readUntil("");
  } catch (error) {
    if (!(error instanceof FlotillaError)) throw error;
    throw new FlotillaError("invalid", `failed to process ${JSON.stringify(word)}: ${error.message}`, { cause: error });
  }
}

/** Reads one text from its beginning to its end. */
class Lexer {
  readonly #chars: readonly string[];
  readonly #variables: Variables;
  readonly #options: ExpandOptions;
  readonly #escape: string;
  #at = 0;
  #depth = 0;
  #keepEscapes: boolean;

  constructor(text: string, variables: Variables, options: ExpandOptions) {
    this.#chars = Array.from(text);
    this.#variables = variables;
    this.#options = options;
    this.#escape = options.escape ?? DEFAULT_ESCAPE;
    this.#keepEscapes = options.keepEscapes ?? false;
  }

  /** Up to and without the character `stop`, which is consumed; up to the end when it is empty. */
  readUntil(stop: string): { text: string; words: string[] } {
    const words = new WordCollector();
    let text = "";
    while (this.#at < this.#chars.length) {
      const char = this.#peek();
      if (char === stop) {
        this.#at++;
        return { text, words: words.finish() };
      }
      if (char === "$") {
        const value = this.#readDollar();
        text += value;
        words.add(value);
      } else if ((char === '"' || char === "'") && this.#options.quotes !== "literal") {
        const value = char === "'" ? this.#readSingleQuoted() : this.#readDoubleQuoted();
        text += value;
        words.addWhole(value);
      } else if (char === this.#escape) {
        this.#at++;
        const value = (this.#keepEscapes ? char : "") + this.#next();
        text += value;
        words.addWhole(value);
      } else {
        text += this.#next();
        words.add(char);
      }
    }
    if (stop !== "") throw unterminated(stop);
    return { text, words: words.finish() };
  }

  #peek(): string {
    return this.#chars[this.#at] ?? "";
  }

  /** The next character, or nothing at the end. */
  #next(): string {
    return this.#chars[this.#at++] ?? "";
  }

  #readSingleQuoted(): string {
    const quote = this.#options.quotes === "keep" ? "'" : "";
    this.#at++;
    const end = this.#chars.indexOf("'", this.#at);
    if (end === -1) throw unterminated("single-quote");
    const inner = this.#chars.slice(this.#at, end).join("");
    this.#at = end + 1;
    return quote + inner + quote;
  }

  #readDoubleQuoted(): string {
    const quote = this.#options.quotes === "keep" ? '"' : "";
    this.#at++;
    let text = quote;
    while (this.#at < this.#chars.length) {
      const char = this.#peek();
      if (char === '"') {
        this.#at++;
        return text + quote;
      }
      if (char === "$") text += this.#readDollar();
      else if (char === this.#escape) text += this.#readQuotedEscape();
      else text += this.#next();
    }
    throw unterminated("double-quote");
  }

  /** Inside double quotes an escape only protects what is special there. */
  #readQuotedEscape(): string {
    const escape = this.#next();
    const isSpecial = ['"', "$", this.#escape].includes(this.#peek());
    if (!isSpecial) return this.#at >= this.#chars.length && !this.#keepEscapes ? "" : escape;
    return (this.#keepEscapes ? escape : "") + this.#next();
  }

  #readDollar(): string {
    this.#at++;
    if (this.#peek() !== "{") {
      const name = this.#readName();
      return name === "" ? "$" : this.#valueOr(name, `$${name}`);
    }
    this.#at++;
    const first = this.#peek();
    if (first === "") throw syntax("missing '}'");
    if ("{}:".includes(first)) throw syntax("bad substitution");
    if (++this.#depth > MAX_DEPTH) throw syntax("substitutions are nested too deeply");
    const value = this.#readSubstitution(this.#readName());
    this.#depth--;
    return value;
  }

  /** A name, a positional number, or one special parameter such as `$?`; empty when there is none. */
  #readName(): string {
    const rest = this.#peek();
    const pattern = /[0-9]/.test(rest) ? /[0-9]/ : /[\p{L}\p{Nd}_]/u;
    if ("@*#?-$!".includes(rest)) return this.#next();
    let name = "";
    while (this.#at < this.#chars.length && pattern.test(this.#peek())) name += this.#next();
    return name;
  }

  #valueOr(name: string, written: string): string {
    const value = this.#variables.get(name);
    if (value === undefined) this.#options.onUnset?.(name);
    return value ?? (this.#options.keepUnset === true ? written : "");
  }

  /** What follows the name in `${name…}`. */
  #readSubstitution(name: string): string {
    const operator = this.#next();
    if (operator === "") throw syntax("missing '}'");
    if (operator === "}") return this.#valueOr(name, `\${${name}}`);
    if (operator === "/") return this.#readReplacement(name);
    const isNullUnset = operator === ":";
    const kind = isNullUnset ? this.#next() : operator;
    if (!"+-?#%".includes(kind) || kind === "" || (isNullUnset && "#%".includes(kind))) {
      throw new FlotillaError("invalid", `unsupported modifier (${isNullUnset ? ":" : ""}${kind}) in substitution`);
    }
    const word = this.#readOperand("}", "#%".includes(kind));
    const value = this.#variables.get(name);
    if (kind === "#" || kind === "%") {
      const isLongest = word.startsWith(kind);
      const pattern = isLongest ? word.slice(1) : word;
      return kind === "#" ? trimPrefix(value ?? "", pattern, isLongest) : trimSuffix(value ?? "", pattern, isLongest);
    }
    const hasValue = value !== undefined && !(isNullUnset && value === "");
    if (kind === "-") return hasValue ? value : word;
    if (kind === "+") return hasValue ? word : "";
    if (hasValue || this.#options.keepUnset === true) return value ?? "";
    const reason = value === undefined ? "is not allowed to be unset" : "is not allowed to be empty";
    throw new FlotillaError("invalid", `${name}: ${word === "" ? reason : word}`);
  }

  #readReplacement(name: string): string {
    const isAll = this.#peek() === "/";
    if (isAll) this.#at++;
    const pattern = this.#readOperand("/", true);
    const text = this.#readOperand("}", false);
    return replacePattern(this.#variables.get(name) ?? "", pattern, { text, isAll });
  }

  #readOperand(stop: string, keepEscapes: boolean): string {
    const before = this.#keepEscapes;
    this.#keepEscapes = keepEscapes;
    try {
      return this.readUntil(stop).text;
    } catch (error) {
      if (this.#at >= this.#chars.length && this.#depth <= MAX_DEPTH) throw syntax(`missing '${stop}'${stop === "/" ? " in ${" : ""}`);
      throw error;
    } finally {
      this.#keepEscapes = before;
    }
  }
}

/** Divides what it is given into words. */
class WordCollector {
  readonly #words: string[] = [];
  #word: string | undefined;

  add(text: string): void {
    for (const char of text) {
      if (/\s/u.test(char)) this.#close();
      else this.addWhole(char);
    }
  }

  /** White space in it does not divide. */
  addWhole(text: string): void {
    this.#word = (this.#word ?? "") + text;
  }

  finish(): string[] {
    this.#close();
    return this.#words;
  }

  #close(): void {
    if (this.#word !== undefined && this.#word !== "") this.#words.push(this.#word);
    this.#word = undefined;
  }
}

function unterminated(what: string): FlotillaError {
  return new FlotillaError("invalid", `unexpected end of statement while looking for matching ${what}`);
}

function syntax(message: string): FlotillaError {
  return new FlotillaError("invalid", `syntax error: ${message}`);
}
