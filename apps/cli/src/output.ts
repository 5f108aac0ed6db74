/** How a command speaks: sentences for people on a terminal, one JSON document for programs with `--json`. */
export type Output = {
  isJson: boolean;
  /** The result: text for people, or the document with `--json`. */
  result(text: string, document: unknown): void;
  /** Progress, for people only. */
  note(text: string): void;
};

export function createOutput(isJson: boolean): Output {
  return {
    isJson,
    result: (text, document) => process.stdout.write(isJson ? `${JSON.stringify(document)}\n` : `${text}\n`),
    note: (text) => void process.stderr.write(`flotilla: ${text}\n`),
  };
}
