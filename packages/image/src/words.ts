// Words of a Dockerfile instruction: quotes, backslashes and variables, after Docker's builder (shell lexer).
import { FlotillaError } from "@flotilla/core";

/** Values of variables by name. */
export type Variables = ReadonlyMap<string, string>;

const NAME = /^[A-Za-z_]\w*/;

/** Splits at white space outside quotes; quotes and backslashes stay in the words. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === "\\" && quote !== "'" && i + 1 < text.length) {
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
  if (quote !== "")
    throw new FlotillaError(
      "invalid",
      `unexpected end of statement while looking for matching ${quote === '"' ? "double" : "single"}-quote`,
    );
  if (word !== "") words.push(word);
  return words;
}

/** Takes quotes and backslashes away and puts variables in: `$A`, `${A}`, `${A:-other}`, `${A:+other}`; unknown ones are empty. */
export function expandWord(word: string, variables: Variables): string {
  let out = "";
  let quote = "";
  for (let i = 0; i < word.length; i++) {
    const char = word.charAt(i);
    if (quote === "'") {
      if (char === "'") quote = "";
      else out += char;
    } else if (char === "\\" && i + 1 < word.length) {
      const next = word.charAt(++i);
      // Inside double quotes a backslash only protects what is special there.
      out += quote === '"' && !'"$\\'.includes(next) ? char + next : next;
    } else if (char === "$") {
      const { text, length } = expandVariable(word.slice(i + 1), variables);
      out += text;
      i += length;
    } else if (char === '"' || (char === "'" && quote === "")) {
      quote = quote === char ? "" : char;
    } else {
      out += char;
    }
  }
  return out;
}

/** @param rest what follows the dollar sign. @returns its value and how many characters it took. */
function expandVariable(rest: string, variables: Variables): { text: string; length: number } {
  if (!rest.startsWith("{")) {
    const name = NAME.exec(rest)?.[0] ?? "";
    return name === "" ? { text: "$", length: 0 } : { text: variables.get(name) ?? "", length: name.length };
  }
  const end = rest.indexOf("}");
  const inner = /^([A-Za-z_]\w*)(?::([-+])([\s\S]*))?$/.exec(rest.slice(1, end === -1 ? 0 : end));
  if (inner === null) throw new FlotillaError("invalid", `failed to process "$${rest}": unsupported modifier or missing }`);
  const [, name = "", modifier, other = ""] = inner;
  const value = variables.get(name) ?? "";
  const isSet = value !== "";
  const length = end + 1;
  if (modifier === "-") return { text: isSet ? value : expandWord(other, variables), length };
  if (modifier === "+") return { text: isSet ? expandWord(other, variables) : "", length };
  return { text: value, length };
}
