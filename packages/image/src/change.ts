// Dockerfile instructions that `docker import --change` (and `commit --change`) may apply to an image's configuration.
import { FlotillaError } from "@flotilla/core";
import { applyConfigChange, type ConfigChange, type ConfigState } from "./config-change.ts";
import { parseHealthcheck } from "./healthcheck.ts";
import type { RunConfig } from "./image-config.ts";
import { parseCommandForm, parseJsonStrings, parsePairs, type Pair } from "./instruction-arguments.ts";
import { expandWord, splitWords, type Variables } from "./words.ts";

type Parse = (rest: string, variables: Variables) => ConfigChange;

const NOT_ALLOWED = ["ADD", "ARG", "COPY", "FROM", "MAINTAINER", "RUN", "SHELL"];

const INSTRUCTIONS: Readonly<Record<string, Parse>> = {
  CMD: (rest) => ({ kind: "cmd", command: parseCommandForm(rest) }),
  ENTRYPOINT: (rest) => ({ kind: "entrypoint", command: parseCommandForm(rest) }),
  ENV: (rest, variables) => ({ kind: "env", pairs: expandPairs("ENV", rest, variables) }),
  EXPOSE: (rest, variables) => ({ kind: "expose", ports: wordsOf("EXPOSE", rest, variables) }),
  HEALTHCHECK: (rest) => ({ kind: "healthcheck", healthcheck: parseHealthcheck(rest, parseCommandForm) }),
  LABEL: (rest, variables) => ({ kind: "label", pairs: expandPairs("LABEL", rest, variables) }),
  ONBUILD(rest) {
    if (rest === "") throw new FlotillaError("invalid", "ONBUILD requires at least one argument");
    return { kind: "onbuild", trigger: rest };
  },
  STOPSIGNAL: (rest, variables) => ({ kind: "stopsignal", signal: oneWord("STOPSIGNAL", rest, variables) }),
  USER: (rest, variables) => ({ kind: "user", user: oneWord("USER", rest, variables) }),
  VOLUME: (rest, variables) => ({ kind: "volume", paths: parseJsonStrings(rest) ?? wordsOf("VOLUME", rest, variables) }),
  WORKDIR(rest, variables) {
    const path = expandWord(rest, variables);
    if (path === "") throw new FlotillaError("invalid", "WORKDIR requires exactly one argument");
    return { kind: "workdir", path };
  },
};

/**
 * Applies instructions in order and returns a new configuration.
 * @throws FlotillaError `invalid` for one that is unknown, not allowed here, or malformed.
 */
export function applyChanges(config: RunConfig, changes: readonly string[]): RunConfig {
  let state: ConfigState = { config: { ...config }, isCmdSet: false };
  for (const line of changes.flatMap(joinContinuations)) state = applyConfigChange(state, parseLine(line, state.config));
  return state.config;
}

function parseLine(line: string, config: RunConfig): ConfigChange {
  const [, name = "", rest = ""] = /^(\S+)\s*([\s\S]*)$/.exec(line) ?? [];
  const keyword = name.toUpperCase();
  if (NOT_ALLOWED.includes(keyword)) throw new FlotillaError("invalid", `${keyword.toLowerCase()} is not a valid change command`);
  const parse = Object.hasOwn(INSTRUCTIONS, keyword) ? INSTRUCTIONS[keyword] : undefined;
  if (parse === undefined) throw new FlotillaError("invalid", `dockerfile parse error on line 1: unknown instruction: ${name}`);
  return parse(rest.trim(), variablesOf(config));
}

function joinContinuations(text: string): string[] {
  return text
    .replace(/\\[ \t]*\r?\n/g, "")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function expandPairs(instruction: string, rest: string, variables: Variables): Pair[] {
  return parsePairs(instruction, rest).map((pair) => {
    const name = expandWord(pair.name, variables);
    if (name === "") throw new FlotillaError("invalid", `${instruction} names can not be blank`);
    return { name, value: expandWord(pair.value, variables) };
  });
}

function wordsOf(instruction: string, rest: string, variables: Variables): string[] {
  const words = splitWords(rest).map((word) => expandWord(word, variables));
  if (words.length === 0) throw new FlotillaError("invalid", `${instruction} requires at least one argument`);
  return words;
}

function oneWord(instruction: string, rest: string, variables: Variables): string {
  const [word, ...more] = splitWords(rest);
  if (word === undefined || more.length > 0) throw new FlotillaError("invalid", `${instruction} requires exactly one argument`);
  return expandWord(word, variables);
}

/** The variables of a configuration's environment. */
export function variablesOf(config: RunConfig): Variables {
  return new Map(
    (config.Env ?? []).map((item) => {
      const equals = item.indexOf("=");
      return equals === -1 ? [item, ""] : [item.slice(0, equals), item.slice(equals + 1)];
    }),
  );
}
