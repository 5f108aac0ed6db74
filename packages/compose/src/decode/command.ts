import { textOf } from "../tree.ts";
import { isPullAge, parsePullAge } from "./pull-age.ts";
import { list, type Reader, wrongValue } from "./reader.ts";
import { loose } from "./scalars.ts";
import { message } from "../message.ts";

/** A command: a list as it is, a text split into words as a shell would, without any expansion. */
export const command: Reader = (node, path, issues) => {
  if (node.kind === "list") return list(loose)(node, path, issues);
  const source = textOf(node);
  if (source === undefined) return wrongValue({ node, path, issues }, message("must_be_command"));
  return splitWords(source) ?? wrongValue({ node, path, issues }, message("quote_open"));
};

/** POSIX word splitting with quotes and backslashes; undefined when a quote is left open. */
export function splitWords(source: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < source.length; at++) {
    const next = source.charAt(at);
    if (quote === "" && /\s/.test(next)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === "" && (next === "'" || next === '"')) {
      quote = next;
      word ??= "";
    } else if (next === quote && quote !== "") quote = "";
    else if (next === "\\" && quote !== "'") {
      if (at + 1 === source.length) return undefined;
      const escaped = source.charAt(++at);
      word = (word ?? "") + (quote === '"' && !/["\\$`\n]/.test(escaped) ? `\\${escaped}` : escaped);
    } else word = (word ?? "") + next;
  }
  if (quote !== "") return undefined;
  return word === undefined ? words : [...words, word];
}

const RESTART = /^(no|always|unless-stopped|on-failure)(?::(\d+))?$/;

/** `on-failure:3` and its like. YAML's bare `no` may come as a boolean. */
export const restart: Reader = (node, path, issues) => {
  const source = textOf(node) === "false" ? "no" : (textOf(node) ?? "");
  const [, name, count] = RESTART.exec(source) ?? [];
  if (name === undefined || (count !== undefined && name !== "on-failure"))
    return wrongValue({ node, path, issues }, message("must_be_restart", { found: source }));
  return { name, maximumRetryCount: Number(count ?? 0) };
};

const PULL_POLICIES = ["always", "never", "missing", "build"];

export const pullPolicy: Reader = (node, path, issues) => {
  const source = textOf(node) ?? "";
  if (source === "if_not_present") return "missing";
  if (PULL_POLICIES.includes(source) || (isPullAge(source) && parsePullAge(source) !== undefined)) return source;
  return wrongValue({ node, path, issues }, message("must_be_pull_policy", { found: source }));
};
