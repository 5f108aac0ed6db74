import { extractFlags, FlagReader, type Flag } from "./flags.ts";
import type { Position } from "./location.ts";
import type { LogicalLine } from "./logical-lines.ts";

/** An instruction's line taken apart. */
export type InstructionLine = {
  /** In upper case. */
  keyword: string;
  /** The keyword as it is written. */
  written: string;
  flags: FlagReader;
  /** After the flags, without white space around. */
  rest: string;
  /** As `rest`, but with the flags. */
  restWithFlags: string;
  escape: string;
  line: LogicalLine;
  at: Position;
};

/** Instructions whose flags are their own: the parser of HEALTHCHECK reads them, the trigger of ONBUILD has them. */
const OWN_FLAGS = new Set(["HEALTHCHECK", "ONBUILD"]);

/** Takes a line apart. */
export function splitInstruction(line: LogicalLine, escape: string): InstructionLine {
  const [head = "", written = ""] = /^(\S+)\s*/.exec(line.text) ?? [];
  const keyword = written.toUpperCase();
  const text = line.text.slice(head.length);
  const extracted = OWN_FLAGS.has(keyword) ? { flags: [], rest: text } : extractFlags(text, escape);
  const flags = extracted.flags.map(({ text: flag, offset }): Flag => {
    const [name = "", value] = flag.slice(2).split(/=([\s\S]*)/);
    return { name, value, at: line.positionAt(head.length + offset) };
  });
  const parts = { rest: extracted.rest.trim(), restWithFlags: text.trim() };
  return { keyword, written, flags: new FlagReader(flags), ...parts, escape, line, at: line.location };
}

/** Split at white space and nothing else, as Docker splits the arguments of COPY, EXPOSE, FROM and VOLUME. */
export function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
