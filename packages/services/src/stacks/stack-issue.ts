// What is wrong with the files of a stack, or not honoured: each with its place, its sentence, and the same as data for pages. Pure.
import { type ComposeIssue, formatMessage, type Message, MESSAGE_CODES, type MessageCode } from "@flotilla/compose";
import type { FlotillaError } from "@flotilla/core";
import { z } from "zod";

/**
 * `file` as it was sent; null for what is not of one line. Lines and columns begin at 1. `text`: path, message and suggestion as an English
 * sentence; the three as data beside it, for readers of other languages.
 */
export type StackIssue = {
  severity: "error" | "warning";
  text: string;
  file: string | null;
  line: number;
  column: number;
  path: string;
  said: Message;
  suggestion: string | null;
};

const position = z.object({ file: z.string(), line: z.number(), column: z.number() });
const code = z.custom<MessageCode>((text) => MESSAGE_CODES.some((known) => known === text));
const values = z.record(z.string(), z.union([z.string(), z.number()]));
const said = z.object({ code, values, why: z.object({ code, values }).optional() });
const issueList = z.array(
  z.object({
    severity: z.enum(["error", "warning"]),
    message: z.string(),
    said,
    path: z.string(),
    position: position.optional(),
    suggestion: z.string().optional(),
  }),
);

/** The mistakes that an error tells of, each with its place; the error's own sentence when it has none. */
export function issuesOf({ message, details }: FlotillaError): ComposeIssue[] {
  const { data = [] } = issueList.safeParse(details["issues"]);
  return data.length > 0 ? data.map((issue) => present(issue)) : [textIssue("", message)];
}

type Read = z.output<typeof issueList>[number];

function present({ position: at, suggestion, said: { code: known, values: given, why }, ...issue }: Read): ComposeIssue {
  const whole: Message = { code: known, values: given, ...(why === undefined ? {} : { why }) };
  return { ...issue, said: whole, ...(at === undefined ? {} : { position: at }), ...(suggestion === undefined ? {} : { suggestion }) };
}

/** Of what nobody gave a code. */
export function textIssue(path: string, text: string): ComposeIssue {
  return { severity: "error", path, message: text, said: { code: "text", values: { text } } };
}

export function issueAt(severity: ComposeIssue["severity"], path: string, what: Message): ComposeIssue {
  return { severity, path, message: formatMessage(what), said: what };
}

export function toStackIssue({ severity, message, said: what, path, position: at, suggestion }: ComposeIssue): StackIssue {
  const meant = suggestion === undefined ? "" : `; did you mean '${suggestion}'?`;
  const text = `${path === "" ? "" : `${path}: `}${message}${meant}`;
  const place = { file: at?.file ?? null, line: at?.line ?? 1, column: at?.column ?? 1 };
  return { severity, text, ...place, path, said: what, suggestion: suggestion ?? null };
}

/** As somebody reads the files: what has no place first, then by file, line and column. */
export function inReadingOrder(issues: readonly StackIssue[]): StackIssue[] {
  return issues.toSorted((a, b) => compare(a.file ?? "", b.file ?? "") || a.line - b.line || a.column - b.column);
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** `compose.yaml:3:5: services.web.build: …` */
export function noteOf({ file, line, column, text }: StackIssue): string {
  return file === null ? text : `${file}:${line}:${column}: ${text}`;
}
