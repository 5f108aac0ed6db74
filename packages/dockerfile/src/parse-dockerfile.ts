import { FlotillaError } from "@flotilla/core";
import { parseDirectives, type Directives } from "./directives.ts";
import type { ArgDeclaration, Instruction, Stage } from "./instruction.ts";
import { splitInstruction } from "./instruction-line.ts";
import { lintInstruction, lintLine, lintStages } from "./lint.ts";
import { dockerfileError, type Location } from "./location.ts";
import { readLogicalLines, type LogicalLine } from "./logical-lines.ts";
import { parseFrom, parseInstruction } from "./parse-instruction.ts";
import { filterWarnings, type Warning } from "./warning.ts";

/** A Dockerfile's syntax tree. */
export type Dockerfile = {
  directives: Directives;
  /** `ARG` above the first `FROM`. */
  globalArgs: (ArgDeclaration & { location: Location })[];
  /** At least one. */
  stages: Stage[];
  warnings: Warning[];
};

/** Larger than any that a person wrote; a bound for what a client may send. */
const MAX_CHARACTERS = 8 * 2 ** 20;

/**
 * Parses a Dockerfile.
 * @throws FlotillaError `invalid` in Docker's words, one line for each error; `details` have `line`, `column` and perhaps
 * `suggestion` of the first.
 */
export function parseDockerfile(text: string): Dockerfile {
  if (text.length > MAX_CHARACTERS) throw new FlotillaError("too_large", `dockerfile is larger than ${MAX_CHARACTERS} characters`);
  const physical = splitLines(text);
  const directives = parseDirectives(physical);
  const lines = readLogicalLines(physical, directives.escape);
  if (lines.length === 0) throw new FlotillaError("invalid", "the Dockerfile cannot be empty: file with no instructions");
  const dockerfile: Dockerfile = { directives, globalArgs: [], stages: [], warnings: [] };
  addLines(dockerfile, lines);
  const [first] = lines;
  if (dockerfile.stages.length === 0 && first !== undefined) throw dockerfileError(first.location, "no build stage in current context");
  dockerfile.warnings.push(...lintStages(dockerfile.stages));
  return { ...dockerfile, warnings: filterWarnings(dockerfile.warnings, directives.check) };
}

/**
 * Parses one trigger of an image's `OnBuild`, which is an instruction without its ONBUILD.
 * @throws FlotillaError `invalid`.
 */
export function parseTrigger(trigger: string): Instruction {
  const lines = readLogicalLines(splitLines(trigger), "\\");
  const [line] = lines;
  if (line === undefined || lines.length !== 1) throw new FlotillaError("invalid", `ONBUILD trigger is not one instruction: ${trigger}`);
  const parts = splitInstruction(line, "\\");
  if (["ONBUILD", "FROM", "MAINTAINER"].includes(parts.keyword)) {
    throw dockerfileError(parts.at, `${parts.keyword} isn't allowed as an ONBUILD trigger`);
  }
  return parseInstruction(parts);
}

/** More than a person reads at once. */
const MAX_ERRORS = 20;

/** Goes on behind an error: whoever misspelled two instructions wants to hear of both. */
function addLines(dockerfile: Dockerfile, lines: readonly LogicalLine[]): void {
  const errors: FlotillaError[] = [];
  for (const line of lines) {
    try {
      addLine(dockerfile, line);
    } catch (error) {
      if (!(error instanceof FlotillaError)) throw error;
      errors.push(error);
      // Without a stage the lines that follow are wrong only because of this one.
      if (dockerfile.stages.length === 0 || errors.length === MAX_ERRORS) break;
    }
  }
  const [first] = errors;
  if (first === undefined) return;
  if (errors.length === 1) throw first;
  throw new FlotillaError("invalid", errors.map(({ message }) => message).join("\n"), { cause: first, details: first.details });
}

function addLine(dockerfile: Dockerfile, line: LogicalLine): void {
  const parts = splitInstruction(line, dockerfile.directives.escape);
  dockerfile.warnings.push(...lintLine(parts));
  if (parts.keyword === "FROM") {
    dockerfile.stages.push({ index: dockerfile.stages.length, from: parseFrom(parts), instructions: [] });
    return;
  }
  const instruction = parseInstruction(parts);
  dockerfile.warnings.push(...lintInstruction(instruction, parts));
  const stage = dockerfile.stages.at(-1);
  if (stage !== undefined) stage.instructions.push(instruction);
  else if (instruction.kind === "arg") dockerfile.globalArgs.push(...instruction.args.map((arg) => ({ ...arg, location: line.location })));
  else throw dockerfileError(line.location, "no build stage in current context");
}

function splitLines(text: string): string[] {
  const lines = (text.startsWith("\uFEFF") ? text.slice(1) : text).split("\n");
  // What follows the last line end is not a line.
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
