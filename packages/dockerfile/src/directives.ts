// Parser directives: comments of the form `# name=value` above everything else, even above empty lines.
import { dockerfileError } from "./location.ts";
import type { CheckDirective } from "./warning.ts";

export type Directives = {
  /** `# syntax=…`: the front end that the author asks for. Ours is built in; it is told for the record. */
  syntax: string | undefined;
  /** `\` or a back-tick. */
  escape: "\\" | "`";
  check: CheckDirective;
};

const DIRECTIVE = /^#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$/;
const KNOWN = new Set(["syntax", "escape", "check"]);

/** @param lines the file's lines. @throws FlotillaError `invalid` for a directive given twice or an impossible escape. */
export function parseDirectives(lines: readonly string[]): Directives {
  const values = new Map<string, string>();
  let escape: Directives["escape"] = "\\";
  for (const [index, line] of lines.entries()) {
    const [, name = "", value = ""] = DIRECTIVE.exec(line.trim()) ?? [];
    const key = name.toLowerCase();
    // The first line that is no known directive ends them: from there on `# escape=` is a comment.
    if (!KNOWN.has(key)) break;
    const at = { line: index + 1, column: 1 };
    if (values.has(key)) throw dockerfileError(at, `only one ${key} parser directive can be used`);
    values.set(key, value);
    if (key !== "escape") continue;
    if (value !== "\\" && value !== "`") throw dockerfileError(at, `invalid ESCAPE '${value}'. Must be \` or \\`);
    escape = value;
  }
  return { syntax: values.get("syntax"), escape, check: parseCheck(values.get("check") ?? "") };
}

function parseCheck(text: string): CheckDirective {
  const options = new Map(
    text.split(";").map((part) => {
      const [name = "", value = ""] = part.split(/=([\s\S]*)/);
      return [name.trim().toLowerCase(), value.trim().toLowerCase()];
    }),
  );
  const skip = (options.get("skip") ?? "").split(",").map((rule) => rule.trim());
  return { skip: new Set(skip.filter((rule) => rule !== "")), isError: ["true", "1"].includes(options.get("error") ?? "") };
}
