import { FlotillaError } from "@flotilla/core";

/** A place in the Dockerfile; lines and columns count from 1, columns in UTF-16 units. */
export type Position = { line: number; column: number };

/** Where an instruction stands: its first line and column, and its last line (heredocs included). */
export type Location = Position & { endLine: number };

export type DockerfileErrorDetails = Position & { suggestion?: string };

/** An error at a place, in Docker's words; `details` hold line, column and, if there is one, what was probably meant. */
export function dockerfileError(at: Position, message: string, suggestion?: string): FlotillaError {
  const hint = suggestion === undefined ? "" : ` (did you mean ${suggestion}?)`;
  const details: DockerfileErrorDetails = { line: at.line, column: at.column, ...(suggestion === undefined ? {} : { suggestion }) };
  return new FlotillaError("invalid", `dockerfile parse error on line ${at.line}: ${message}${hint}`, { details });
}

/** Runs a parser of a part and gives its error the place. Errors that have one are left as they are. */
export function withPosition<T>(at: Position, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof FlotillaError) || "line" in error.details) throw error;
    throw dockerfileError(at, error.message);
  }
}
