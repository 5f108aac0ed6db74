/** Where something is written: line and column begin at 1, as editors count. */
export type SourcePosition = { file: string; line: number; column: number };

/** What a reader of a compose file must know about one of its keys. */
export type ComposeIssue = {
  /** `error`: the project cannot be used. `warning`: it can, but this key is not honoured, or means less than it seems to. */
  severity: "error" | "warning";
  /** One sentence, lower case, without the path: `additional properties 'imgae' not allowed`. */
  message: string;
  /** The key as a dotted path: `services.web.ports.0`. Empty for the whole file. */
  path: string;
  /** Absent for what comes from the environment or the command line. */
  position?: SourcePosition;
  /** The word that was probably meant: `services`. */
  suggestion?: string;
};
