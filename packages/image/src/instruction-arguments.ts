// Arguments of Dockerfile instructions that describe an image's configuration, as they are written: nothing is expanded.
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { splitWords } from "./words.ts";

/** JSON form or shell form of RUN, CMD, ENTRYPOINT and HEALTHCHECK CMD. */
export type CommandForm = { kind: "exec"; argv: string[] } | { kind: "shell"; line: string };

const MAX_PORT = 65_535;

/** What is not a JSON array of strings is the shell form, as in Docker. */
export function parseCommandForm(text: string): CommandForm {
  const argv = parseJsonStrings(text);
  return argv === undefined ? { kind: "shell", line: text } : { kind: "exec", argv };
}

/** The strings of a JSON array, or undefined when the text is none. */
export function parseJsonStrings(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    return z.array(z.string()).parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export type Pair = { name: string; value: string };

/** Pairs of ENV and LABEL: `a=1 b="x y"`, or the old form `a the rest`. @throws FlotillaError `invalid`. */
export function parsePairs(instruction: string, rest: string, escape?: string): Pair[] {
  if (rest === "") throw new FlotillaError("invalid", `${instruction} requires at least one argument`);
  const [start = ""] = rest.split(/\s/, 1);
  if (!start.includes("=") && !/["'\\]/.test(start)) return [parseOldPair(instruction, rest)];
  const words = splitWords(rest, escape);
  if (!(words[0] ?? "").includes("=")) return [parseOldPair(instruction, rest)];
  return words.map((word) => {
    const equals = word.indexOf("=");
    if (equals === -1) throw new FlotillaError("invalid", `Syntax error - can't find = in "${word}". Must be of the form: name=value`);
    if (equals === 0) throw new FlotillaError("invalid", `${instruction} names can not be blank`);
    return { name: word.slice(0, equals), value: word.slice(equals + 1) };
  });
}

function parseOldPair(instruction: string, rest: string): Pair {
  const [, name = "", value] = /^(\S+)\s+([\s\S]*)$/.exec(rest) ?? [];
  if (value === undefined) throw new FlotillaError("invalid", `${instruction} must have two arguments`);
  return { name, value };
}

/** `80`, `80/udp`, `8000-8005/tcp` as `["80/tcp", …]`. @throws FlotillaError `invalid`. */
export function parsePorts(word: string): string[] {
  const [, from, to, protocol] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word) ?? [];
  const first = Number(from);
  const last = to === undefined ? first : Number(to);
  if (from === undefined || first > last || last > MAX_PORT) throw new FlotillaError("invalid", `Invalid containerPort: ${word}`);
  const suffix = (protocol ?? "tcp").toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, offset) => `${first + offset}/${suffix}`);
}

/** Joins an absolute or relative path to an absolute one; `..` never leaves the root. */
export function joinPath(base: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${base}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
