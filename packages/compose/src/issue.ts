import { FlotillaError } from "@flotilla/core";
import { formatMessage, type Message } from "./message.ts";

/** Where something is written: line and column begin at 1, as editors count. */
export type SourcePosition = { file: string; line: number; column: number };

/** What a reader of a compose file must know about one of its keys. */
export type ComposeIssue = {
  /** `error`: the project cannot be used. `warning`: it can, but this key is not honoured, or means less than it seems to. */
  severity: "error" | "warning";
  /** One sentence, lower case, without the path: `additional properties 'imgae' not allowed`. */
  message: string;
  /** The same as data. */
  said: Message;
  /** The key as a dotted path: `services.web.ports.0`. Empty for the whole file. */
  path: string;
  /** Absent for what comes from the environment or the command line. */
  position?: SourcePosition;
  /** The word that was probably meant: `services`. */
  suggestion?: string;
};

/** More are not worth reading: a file that is not a compose file at all would give one for each key. */
const MAX_ISSUES = 100;

/** Collects what is found, so that one run tells of every mistake. */
export class Issues {
  readonly list: ComposeIssue[] = [];
  readonly #seen = new Set<string>();

  error(path: string, said: Message, more: Pick<ComposeIssue, "suggestion"> & { position?: SourcePosition | undefined } = {}): void {
    this.#add({ severity: "error", path, message: formatMessage(said), said, ...present(more) });
  }

  warn(path: string, said: Message, position?: SourcePosition): void {
    this.#add({ severity: "warning", path, message: formatMessage(said), said, ...(position === undefined ? {} : { position }) });
  }

  /** Whether more would not be kept: what costs time to tell need not be found out. */
  get isFull(): boolean {
    return this.#seen.size >= MAX_ISSUES;
  }

  get errors(): ComposeIssue[] {
    return this.list.filter((issue) => issue.severity === "error");
  }

  get warnings(): ComposeIssue[] {
    return this.list.filter((issue) => issue.severity === "warning");
  }

  #add(issue: ComposeIssue): void {
    // A node that an anchor shares is looked at more than once.
    const key = formatIssue(issue);
    if (this.isFull || this.#seen.has(key)) return;
    this.#seen.add(key);
    this.list.push(issue);
  }
}

function present(more: { suggestion?: string; position?: SourcePosition | undefined }): Partial<ComposeIssue> {
  return {
    ...(more.suggestion === undefined ? {} : { suggestion: more.suggestion }),
    ...(more.position === undefined ? {} : { position: more.position }),
  };
}

/** `compose.yaml:3:1: services.web: additional properties 'imgae' not allowed; did you mean 'image'?` */
export function formatIssue(issue: ComposeIssue): string {
  const { position, path, message, suggestion } = issue;
  const where = position === undefined ? "" : `${position.file}:${position.line}:${position.column}: `;
  const what = path === "" ? "" : `${path}: `;
  return `${where}${what}${message}${suggestion === undefined ? "" : `; did you mean '${suggestion}'?`}`;
}

/** The error of a project that cannot be used: all of its mistakes, one a line. */
export function composeError(issues: readonly ComposeIssue[]): FlotillaError {
  return new FlotillaError("invalid", issues.map(formatIssue).join("\n"), { details: { issues } });
}
