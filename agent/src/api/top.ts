import { FlotillaError } from "@flotilla/core";

export type ProcessTable = { Titles: string[]; Processes: string[][] };

/**
 * Splits `ps_args` into arguments.
 * @throws FlotillaError `invalid` for a column renamed to PID: the output is matched by that title, and a false one would
 * show processes of others.
 */
export function parsePsArguments(text: string): string[] {
  const args = text.split(/\s+/).filter((argument) => argument !== "");
  if (args.some((argument) => /=/.test(argument))) {
    throw new FlotillaError("invalid", `specifying "${args.find((argument) => argument.includes("=")) ?? ""}" is not allowed`);
  }
  return args;
}

/**
 * The rows of `ps` output that belong to `pids`. The last column takes the rest of its line.
 * @throws FlotillaError `invalid` when there is no column PID.
 */
export function parsePsOutput(output: string, pids: ReadonlySet<number>): ProcessTable {
  const [header = "", ...lines] = output.split("\n").filter((line) => line.trim() !== "");
  const titles = header.trim().split(/\s+/);
  const pidColumn = titles.indexOf("PID");
  if (pidColumn < 0) throw new FlotillaError("invalid", "Couldn't find PID field in ps output");
  const rows = lines.map((line) => splitRow(line, titles.length));
  return { Titles: titles, Processes: rows.filter((row) => pids.has(Number(row[pidColumn]))) };
}

function splitRow(line: string, columns: number): string[] {
  const fields = line.trim().split(/\s+/);
  return fields.length <= columns ? fields : [...fields.slice(0, columns - 1), fields.slice(columns - 1).join(" ")];
}
