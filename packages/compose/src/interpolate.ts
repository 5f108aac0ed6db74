import type { Issues } from "./issue.ts";
import { formatMessage, type Message, message } from "./message.ts";
import { mapChildren, type Node, type Scalar } from "./tree.ts";

/** Values of variables; undefined is "not set". */
export type Variables = (name: string) => string | undefined;

export type Substitution = { variables: Variables; onUnset: (name: string) => void };

/** What all substitutions of one project may make together. */
const MAX_OUTPUT = 16 * 1024 * 1024;
const MAX_NESTING = 32;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;

/** A text that is no template, or a variable that is demanded and not there. */
export class TemplateError extends Error {
  readonly said: Message;

  constructor(said: Message) {
    super(formatMessage(said));
    this.said = said;
  }
}

/**
 * Substitutes `$V ${V} ${V:-d} ${V-d} ${V:?e} ${V?e} ${V:+r} ${V+r}`, nested to any kind, and `$$` for a dollar.
 * @throws TemplateError
 */
export function substitute(template: string, substitution: Substitution): string {
  if (!template.includes("$")) return template;
  const reader = new TemplateReader(template, substitution);
  return reader.read({ untilBrace: false, depth: 0, isUsed: true });
}

class TemplateReader {
  readonly #text: string;
  readonly #substitution: Substitution;
  #at = 0;

  constructor(text: string, substitution: Substitution) {
    this.#text = text;
    this.#substitution = substitution;
  }

  /** Reads to the end, or to the `}` that closes this level. What is not used is read over without asking for variables. */
  read({ untilBrace, depth, isUsed }: { untilBrace: boolean; depth: number; isUsed: boolean }): string {
    if (depth > MAX_NESTING) throw new TemplateError(message("template_too_deep"));
    let result = "";
    while (this.#at < this.#text.length) {
      const next = this.#text.charAt(this.#at);
      if (next === "}" && untilBrace) {
        this.#at++;
        return result;
      }
      this.#at++;
      result += next === "$" ? this.#dollar(depth, isUsed) : next;
    }
    if (untilBrace) throw new TemplateError(message("template_brace_open"));
    return result;
  }

  #dollar(depth: number, isUsed: boolean): string {
    const next = this.#text.charAt(this.#at);
    if (next === "$") {
      this.#at++;
      return "$";
    }
    if (next !== "{") return this.#plain(this.#name(), isUsed);
    this.#at++;
    const name = this.#name();
    if (this.#text.charAt(this.#at) === "}") {
      this.#at++;
      return this.#plain(name, isUsed);
    }
    return this.#operator(name, { depth, isUsed });
  }

  #name(): string {
    NAME.lastIndex = this.#at;
    const [name] = NAME.exec(this.#text) ?? [];
    if (name === undefined) throw new TemplateError(message("template_no_name"));
    this.#at += name.length;
    return name;
  }

  #plain(name: string, isUsed: boolean): string {
    const value = isUsed ? this.#substitution.variables(name) : "";
    if (value === undefined) this.#substitution.onUnset(name);
    return value ?? "";
  }

  #operator(name: string, { depth, isUsed }: { depth: number; isUsed: boolean }): string {
    const hasColon = this.#text.charAt(this.#at) === ":";
    if (hasColon) this.#at++;
    const operator = this.#text.charAt(this.#at);
    if (operator !== "-" && operator !== "?" && operator !== "+") throw new TemplateError(message("template_operator", { operator }));
    this.#at++;
    const value = this.#substitution.variables(name);
    const isThere = value !== undefined && !(hasColon && value === "");
    const usesWord = isUsed && (operator === "+" ? isThere : !isThere);
    const word = this.read({ untilBrace: true, depth: depth + 1, isUsed: usesWord });
    if (!usesWord) return operator === "+" ? "" : (value ?? "");
    if (operator === "?")
      throw new TemplateError(
        word === "" ? message("variable_required", { name }) : message("variable_required_for", { name, text: word }),
      );
    return word;
  }
}

/** A tree with the variables in all of its values substituted; keys are left as they are. Shared parts stay shared. */
export class Interpolator {
  readonly #variables: Variables;
  readonly #issues: Issues;
  readonly #done = new Map<Node, Node>();
  #outputChars = 0;

  constructor(variables: Variables, issues: Issues) {
    this.#variables = variables;
    this.#issues = issues;
  }

  apply(node: Node, path: string): Node {
    const known = this.#done.get(node);
    if (known !== undefined) return known;
    const result = this.#applyNew(node, path);
    this.#done.set(node, result);
    return result;
  }

  #applyNew(node: Node, path: string): Node {
    if (node.kind === "scalar") return this.#scalar(node, path);
    if (node.kind === "map") return mapChildren(node, (value, key) => this.apply(value, path === "" ? key : `${path}.${key}`));
    return { ...node, items: node.items.map((item, at) => this.apply(item, `${path}.${at}`)) };
  }

  #scalar(node: Scalar, path: string): Scalar {
    if (typeof node.value !== "string" || !node.value.includes("$")) return node;
    try {
      const value = substitute(node.value, {
        variables: this.#variables,
        onUnset: (name) => this.#issues.warn("", message("variable_not_set", { name })),
      });
      this.#outputChars += value.length;
      if (this.#outputChars > MAX_OUTPUT) throw new TemplateError(message("template_too_large"));
      return { ...node, value, text: value };
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      const isMissing = error.said.code === "variable_required" || error.said.code === "variable_required_for";
      const said = isMissing ? error.said : { ...message("invalid_interpolation", { text: node.value }), why: error.said };
      this.#issues.error(path, said, { position: node.at });
      return node;
    }
  }
}
