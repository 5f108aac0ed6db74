import { FlotillaError, suggest } from "@flotilla/core";
import { parseCommandForm, parseHealthcheck, parseJsonStrings, parsePairs, splitWords, type CommandForm } from "@flotilla/image";
import type { FromClause, Instruction, InstructionBody } from "./instruction.ts";
import { words, type InstructionLine } from "./instruction-line.ts";
import { dockerfileError, withPosition } from "./location.ts";
import { parseCopy } from "./parse-copy.ts";
import { parseRunMount } from "./run-mount.ts";

type Parse = (line: InstructionLine) => InstructionBody;

const NETWORKS = ["default", "none", "host"] as const;
const SECURITY = ["sandbox", "insecure"] as const;
const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

const PARSERS: Readonly<Record<string, Parse>> = {
  ADD: (line) => parseCopy("add", line),
  ARG: parseArg,
  CMD: (line) => ({ kind: "cmd", command: commandOf(line) }),
  COPY: (line) => parseCopy("copy", line),
  ENTRYPOINT: (line) => ({ kind: "entrypoint", command: commandOf(line) }),
  ENV: (line) => ({ kind: "env", pairs: parsePairs("ENV", line.rest, line.escape) }),
  EXPOSE: (line) => ({ kind: "expose", ports: atLeastOne(line, words(line.rest)) }),
  HEALTHCHECK(line) {
    if (line.restWithFlags === "") throw new FlotillaError("invalid", "HEALTHCHECK requires at least one argument");
    return { kind: "healthcheck", healthcheck: parseHealthcheck(line.restWithFlags, parseCommand) };
  },
  LABEL: (line) => ({ kind: "label", pairs: parsePairs("LABEL", line.rest, line.escape) }),
  MAINTAINER: (line) => ({ kind: "maintainer", author: exactlyOne(line) }),
  ONBUILD: parseOnbuild,
  RUN: parseRun,
  SHELL(line) {
    const argv = parseJsonStrings(line.rest);
    if (argv === undefined) throw new FlotillaError("invalid", `SHELL requires the arguments to be in JSON form`);
    if (argv.length === 0) throw new FlotillaError("invalid", "SHELL requires at least one argument");
    return { kind: "shell", argv };
  },
  STOPSIGNAL: (line) => ({ kind: "stopsignal", signal: exactlyOne(line) }),
  USER: (line) => ({ kind: "user", user: exactlyOne(line) }),
  VOLUME: (line) => ({ kind: "volume", paths: atLeastOne(line, parseJsonStrings(line.rest) ?? words(line.rest)) }),
  WORKDIR: (line) => ({ kind: "workdir", path: exactlyOne(line) }),
};

/** @throws FlotillaError `invalid` with line and column; for an unknown instruction with the one that was probably meant. */
export function parseInstruction(parts: InstructionLine): Instruction {
  const parse = Object.hasOwn(PARSERS, parts.keyword) ? PARSERS[parts.keyword] : undefined;
  if (parse === undefined) {
    throw dockerfileError(parts.at, `unknown instruction: ${parts.written}`, suggest(parts.written, [...Object.keys(PARSERS), "FROM"]));
  }
  const body = withPosition(parts.at, () => parse(parts));
  parts.flags.finish();
  return { location: parts.line.location, original: parts.line.text.trim(), ...body };
}

/** `FROM [--platform=P] base [AS name]`. */
export function parseFrom(parts: InstructionLine): FromClause {
  const args = words(parts.rest);
  const [base = "", as = "", name] = args;
  const isNamed = args.length === 3 && as.toUpperCase() === "AS";
  if (!isNamed && args.length !== 1) throw dockerfileError(parts.at, "FROM requires either one or three arguments");
  const stageName = isNamed ? name?.toLowerCase() : undefined;
  if (stageName !== undefined && !STAGE_NAME.test(stageName)) {
    const message = `invalid name for build stage: "${name ?? ""}", name can't start with a number or contain symbols`;
    throw dockerfileError(parts.at, message);
  }
  const platform = parts.flags.string("platform");
  parts.flags.finish();
  return { base, name: stageName, platform, location: parts.line.location, original: parts.line.text.trim() };
}

/** JSON or shell form. @throws FlotillaError `invalid` for a JSON array that holds anything but strings. */
function parseCommand(text: string): CommandForm {
  const form = parseCommandForm(text);
  if (form.kind === "shell" && isJsonArray(text)) {
    throw new FlotillaError("invalid", "when using JSON array syntax, arrays must be comprised of strings only");
  }
  return form;
}

function isJsonArray(text: string): boolean {
  if (!text.startsWith("[")) return false;
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

function commandOf(line: InstructionLine): CommandForm {
  return line.rest === "" ? { kind: "exec", argv: [] } : parseCommand(line.rest);
}

function parseArg(line: InstructionLine): InstructionBody {
  const args = atLeastOne(line, splitWords(line.rest, line.escape)).map((word) => {
    const equals = word.indexOf("=");
    const name = equals === -1 ? word : word.slice(0, equals);
    if (name === "") throw new FlotillaError("invalid", "ARG names can not be blank");
    return { name, defaultValue: equals === -1 ? undefined : word.slice(equals + 1) };
  });
  return { kind: "arg", args };
}

function parseOnbuild(line: InstructionLine): InstructionBody {
  if (line.rest === "") throw new FlotillaError("invalid", "ONBUILD requires at least one argument");
  const [first = ""] = words(line.rest);
  const name = first.toUpperCase();
  if (name === "ONBUILD") throw new FlotillaError("invalid", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (name === "FROM" || name === "MAINTAINER") throw new FlotillaError("invalid", `${name} isn't allowed as an ONBUILD trigger`);
  if (!Object.hasOwn(PARSERS, name)) {
    throw dockerfileError(line.at, `unknown instruction: ${first}`, suggest(first, Object.keys(PARSERS)));
  }
  // A here-document belongs to the trigger: it is kept as text, to be read when the trigger fires.
  const documents = line.line.heredocs.map(({ content, name: end }) => `\n${content}${end}`).join("");
  return { kind: "onbuild", trigger: line.rest + documents };
}

function parseRun(line: InstructionLine): InstructionBody {
  const mounts = line.flags.strings("mount").map((text) => {
    return withPosition(line.flags.positionOf("mount") ?? line.at, () => parseRunMount(text));
  });
  const network = oneOf(line, "network", NETWORKS) ?? "default";
  const security = oneOf(line, "security", SECURITY) ?? "sandbox";
  const command = commandOf(line);
  const isEmpty = command.kind === "exec" ? command.argv.length === 0 : command.line === "";
  if (isEmpty) throw new FlotillaError("invalid", "RUN requires at least one argument");
  return { kind: "run", command, heredocs: line.line.heredocs, mounts, network, security };
}

function oneOf<T extends string>(line: InstructionLine, flag: string, values: readonly T[]): T | undefined {
  const text = line.flags.string(flag);
  const value = values.find((item) => item === text);
  if (text !== undefined && value === undefined) {
    throw dockerfileError(line.flags.positionOf(flag) ?? line.at, `${flag} "${text}" is not valid`, suggest(text, values));
  }
  return value;
}

function exactlyOne(line: InstructionLine): string {
  if (line.rest === "") throw new FlotillaError("invalid", `${line.keyword} requires exactly one argument`);
  return line.rest;
}

function atLeastOne(line: InstructionLine, args: string[]): string[] {
  if (args.length === 0) throw new FlotillaError("invalid", `${line.keyword} requires at least one argument`);
  return args;
}
