import { FlotillaError } from "@flotilla/core";
import { expandWord, joinPath, type ExpandOptions, type Variables } from "@flotilla/image";
import { heredocText, type Heredoc } from "./heredoc.ts";
import type { CopyBody } from "./instruction.ts";
import type { CopyStep, Step } from "./step.ts";

export type CopyScope = { workingDir: string; variables: Variables; options: ExpandOptions };

const MODE = /^(?:[0-7]{1,5}|[ugoa]*[-+=][rwxXstugo]*(?:,[ugoa]*[-+=][rwxXstugo]*)*)$/;
const CHECKSUM = /^sha256:[0-9a-f]{64}$/;

/** What COPY or ADD has to do. @throws FlotillaError `invalid`. */
export function evaluateCopy(copy: CopyBody, scope: CopyScope): Step {
  const { variables, options } = scope;
  const expand = (text: string): string => expandWord(text, variables, options);
  const optional = (text: string | undefined): string | undefined => (text === undefined ? undefined : expand(text));
  const sources = copy.sources.map(expand);
  const files = copy.files.map((heredoc) => inlineFile(heredoc, scope));
  const destination = destinationOf(expand(copy.destination), scope.workingDir);
  if (sources.length + files.length > 1 && !destination.endsWith("/")) {
    throw new FlotillaError(
      "invalid",
      `When using ${copy.kind.toUpperCase()} with more than one source file, the destination must be a directory and end with a /`,
    );
  }
  const chmod = optional(copy.chmod);
  if (chmod !== undefined && !MODE.test(chmod))
    throw new FlotillaError("invalid", `invalid chmod parameter: '${chmod}'. it should be octal string and between 0 and 07777`);
  const checksum = optional(copy.checksum);
  if (checksum !== undefined && !CHECKSUM.test(checksum)) throw new FlotillaError("invalid", `invalid checksum digest format: ${checksum}`);
  // Named one by one: an instruction also has its place in the file, which is no part of the step.
  const { kind, from, isLink, keepsParents, keepsGitDir, unpack } = copy;
  const expanded = { sources, files, destination, chown: optional(copy.chown), chmod, checksum, exclude: copy.exclude.map(expand) };
  const step: CopyStep = { kind, from, isLink, keepsParents, keepsGitDir, unpack, ...expanded };
  return { ...step, createdBy: describe(step) };
}

/** A relative destination is in the working directory; what names a directory keeps the slash at its end. */
function destinationOf(path: string, workingDir: string): string {
  if (path === "") throw new FlotillaError("invalid", "destination can not be empty");
  const isDirectory = /(?:^|\/)\.{0,2}$/.test(path);
  const joined = joinPath(workingDir, path);
  return isDirectory && joined !== "/" ? `${joined}/` : joined;
}

function inlineFile(heredoc: Heredoc, { variables, options }: CopyScope): CopyStep["files"][number] {
  if (heredoc.name === "" || heredoc.name.includes("/") || heredoc.name === "." || heredoc.name === "..") {
    throw new FlotillaError("invalid", `heredoc name ${JSON.stringify(heredoc.name)} cannot be a file's name`);
  }
  const text = heredocText(heredoc);
  // Quotes are the file's own.
  return { name: heredoc.name, content: heredoc.isExpanded ? expandWord(text, variables, { ...options, quotes: "literal" }) : text };
}

function describe(step: CopyStep): string {
  const flags = [
    step.from === undefined ? "" : `--from=${step.from}`,
    step.chown === undefined ? "" : `--chown=${step.chown}`,
    step.chmod === undefined ? "" : `--chmod=${step.chmod}`,
    step.isLink ? "--link" : "",
  ];
  const sources = [...step.sources, ...step.files.map(({ name }) => `<<${name}`)];
  return [step.kind.toUpperCase(), ...flags.filter((flag) => flag !== ""), ...sources, step.destination].join(" ");
}
