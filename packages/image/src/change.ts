// Dockerfile instructions that `docker import --change` (and `commit --change`) may apply to an image's configuration.
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { parseHealthcheck } from "./healthcheck.ts";
import type { RunConfig } from "./image-config.ts";
import { expandWord, splitWords, type Variables } from "./words.ts";

type State = { config: RunConfig; isCmdSet: boolean };
type Instruction = (state: State, rest: string) => void;

const NOT_ALLOWED = ["ADD", "ARG", "COPY", "FROM", "MAINTAINER", "RUN", "SHELL"];
const DEFAULT_SHELL = ["/bin/sh", "-c"];
const MAX_PORT = 65_535;

const INSTRUCTIONS: Readonly<Record<string, Instruction>> = {
  CMD(state, rest) {
    state.config.Cmd = parseCommand(state, rest);
    state.isCmdSet = true;
  },
  ENTRYPOINT(state, rest) {
    state.config.Entrypoint = parseCommand(state, rest);
    // The image's own CMD was meant for its own ENTRYPOINT.
    if (!state.isCmdSet) state.config.Cmd = null;
  },
  ENV(state, rest) {
    const pairs = parsePairs("ENV", rest, variablesOf(state.config));
    const names = new Set(pairs.map(([name]) => name));
    const kept = (state.config.Env ?? []).filter((item) => !names.has(item.split("=", 1)[0] ?? ""));
    state.config.Env = [...kept, ...new Map(pairs)].map((item) => (typeof item === "string" ? item : item.join("=")));
  },
  EXPOSE(state, rest) {
    const ports = { ...state.config.ExposedPorts };
    for (const word of wordsOf("EXPOSE", state, rest)) for (const port of parsePorts(word)) ports[port] = {};
    state.config.ExposedPorts = ports;
  },
  HEALTHCHECK(state, rest) {
    state.config.Healthcheck = parseHealthcheck(rest, (text) => parseCommandForm(text));
  },
  LABEL(state, rest) {
    state.config.Labels = { ...state.config.Labels, ...Object.fromEntries(parsePairs("LABEL", rest, variablesOf(state.config))) };
  },
  ONBUILD(state, rest) {
    if (rest === "") throw new FlotillaError("invalid", "ONBUILD requires at least one argument");
    state.config.OnBuild = [...(state.config.OnBuild ?? []), rest];
  },
  STOPSIGNAL(state, rest) {
    state.config.StopSignal = oneWord("STOPSIGNAL", state, rest);
  },
  USER(state, rest) {
    state.config.User = oneWord("USER", state, rest);
  },
  VOLUME(state, rest) {
    const volumes = { ...state.config.Volumes };
    const words = parseJsonStrings(rest) ?? wordsOf("VOLUME", state, rest);
    for (const word of words) {
      if (word.trim() === "") throw new FlotillaError("invalid", "VOLUME specified can not be an empty string");
      volumes[word.trim()] = {};
    }
    state.config.Volumes = volumes;
  },
  WORKDIR(state, rest) {
    const path = expandWord(rest, variablesOf(state.config));
    if (path === "") throw new FlotillaError("invalid", "WORKDIR requires exactly one argument");
    state.config.WorkingDir = joinPath(state.config.WorkingDir ?? "/", path);
  },
};

/**
 * Applies instructions in order and returns a new configuration.
 * @throws FlotillaError `invalid` for one that is unknown, not allowed here, or malformed.
 */
export function applyChanges(config: RunConfig, changes: readonly string[]): RunConfig {
  const state: State = { config: { ...config }, isCmdSet: false };
  for (const change of changes) {
    for (const line of joinContinuations(change)) applyLine(state, line);
  }
  return state.config;
}

function applyLine(state: State, line: string): void {
  const [, name = "", rest = ""] = /^(\S+)\s*([\s\S]*)$/.exec(line) ?? [];
  const keyword = name.toUpperCase();
  if (NOT_ALLOWED.includes(keyword)) throw new FlotillaError("invalid", `${keyword.toLowerCase()} is not a valid change command`);
  const apply = Object.hasOwn(INSTRUCTIONS, keyword) ? INSTRUCTIONS[keyword] : undefined;
  if (apply === undefined) throw new FlotillaError("invalid", `dockerfile parse error on line 1: unknown instruction: ${name}`);
  apply(state, rest.trim());
}

function joinContinuations(text: string): string[] {
  return text
    .replace(/\\[ \t]*\r?\n/g, "")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

function parseCommand(state: State, rest: string): string[] {
  const form = parseCommandForm(rest);
  return form.kind === "exec" ? form.argv : [...(state.config.Shell ?? DEFAULT_SHELL), form.line];
}

/** JSON form or shell form of CMD, ENTRYPOINT and HEALTHCHECK CMD. */
export type CommandForm = { kind: "exec"; argv: string[] } | { kind: "shell"; line: string };

function parseCommandForm(text: string): CommandForm {
  const argv = parseJsonStrings(text);
  return argv === undefined ? { kind: "shell", line: text } : { kind: "exec", argv };
}

function parseJsonStrings(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    return z.array(z.string()).parse(JSON.parse(text));
  } catch {
    // What is not a JSON array of strings is the shell form, as in Docker.
    return undefined;
  }
}

/** `a=1 b="x y"`, or the old form `a the rest`. */
function parsePairs(instruction: string, rest: string, variables: Variables): [string, string][] {
  if (rest === "") throw new FlotillaError("invalid", `${instruction} requires at least one argument`);
  const words = splitWords(rest);
  const [first = ""] = words;
  if (!first.includes("=")) {
    const [, name = "", value] = /^(\S+)\s+([\s\S]*)$/.exec(rest) ?? [];
    if (value === undefined) throw new FlotillaError("invalid", `${instruction} must have two arguments`);
    return [[name, expandWord(value, variables)]];
  }
  return words.map((word) => {
    const equals = word.indexOf("=");
    if (equals === -1) throw new FlotillaError("invalid", `Syntax error - can't find = in "${word}". Must be of the form: name=value`);
    const name = expandWord(word.slice(0, equals), variables);
    if (name === "") throw new FlotillaError("invalid", `${instruction} names can not be blank`);
    return [name, expandWord(word.slice(equals + 1), variables)];
  });
}

function wordsOf(instruction: string, state: State, rest: string): string[] {
  const words = splitWords(rest).map((word) => expandWord(word, variablesOf(state.config)));
  if (words.length === 0) throw new FlotillaError("invalid", `${instruction} requires at least one argument`);
  return words;
}

function oneWord(instruction: string, state: State, rest: string): string {
  const [word, ...more] = splitWords(rest);
  if (word === undefined || more.length > 0) throw new FlotillaError("invalid", `${instruction} requires exactly one argument`);
  return expandWord(word, variablesOf(state.config));
}

function parsePorts(word: string): string[] {
  const [, from, to, protocol] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word) ?? [];
  const first = Number(from);
  const last = to === undefined ? first : Number(to);
  if (from === undefined || first > last || last > MAX_PORT) throw new FlotillaError("invalid", `Invalid containerPort: ${word}`);
  const suffix = (protocol ?? "tcp").toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, offset) => `${first + offset}/${suffix}`);
}

function variablesOf(config: RunConfig): Variables {
  return new Map(
    (config.Env ?? []).map((item) => {
      const equals = item.indexOf("=");
      return equals === -1 ? [item, ""] : [item.slice(0, equals), item.slice(equals + 1)];
    }),
  );
}

function joinPath(base: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${base}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
