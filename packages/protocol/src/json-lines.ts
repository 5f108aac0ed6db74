import { FlotillaError } from "@flotilla/core";
import type { z } from "zod";

/** One JSON document and its end of line. */
export function formatLine(message: unknown): string {
  return `${JSON.stringify(message)}\n`;
}

/**
 * The documents of a byte stream, one a line, each parsed by a schema.
 * @throws FlotillaError `too_large` for a line beyond `maxBytes`, `invalid` for one that is not JSON of the schema.
 */
export async function* readLines<T extends z.ZodType>(
  body: AsyncIterable<unknown>,
  options: { schema: T; maxBytes: number },
): AsyncGenerator<z.output<T>, void> {
  const { schema, maxBytes } = options;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    let chunk = Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece));
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE)) {
      parts.push(chunk.subarray(0, end));
      if (size + end > maxBytes) throw tooLong(maxBytes);
      yield parseLine(schema, Buffer.concat(parts.splice(0)));
      size = 0;
      chunk = chunk.subarray(end + 1);
    }
    size += chunk.length;
    if (size > maxBytes) throw tooLong(maxBytes);
    if (chunk.length > 0) parts.push(chunk);
  }
}

const NEWLINE = 0x0a;

function tooLong(maxBytes: number): FlotillaError {
  return new FlotillaError("too_large", `a line is longer than ${maxBytes} bytes`);
}

function parseLine<T extends z.ZodType>(schema: T, line: Buffer): z.output<T> {
  let json: unknown;
  try {
    json = JSON.parse(line.toString("utf8"));
  } catch (error) {
    throw new FlotillaError("invalid", "a line is not JSON", { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  // What it holds may be secret: only where it is wrong is told.
  const [issue] = parsed.error.issues;
  throw new FlotillaError("invalid", `a line has the wrong shape at ${issue?.path.join(".") ?? ""}`);
}
