import type { Readable } from "node:stream";
import { FlotillaError } from "@flotilla/core";

const MAX_LINE_BYTES = 1024 * 1024;

/** JSON documents, one a line (or simply one after the other with line ends between them). @throws too_large, invalid. */
export async function* readJsonLines(body: Readable): AsyncGenerator {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    rest += Buffer.isBuffer(chunk) ? decoder.decode(chunk, { stream: true }) : String(chunk);
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE_BYTES) throw new FlotillaError("too_large", "a line of the engine's answer is too long");
    for (const line of lines) if (line.trim() !== "") yield parse(line);
  }
  if (rest.trim() !== "") yield parse(rest);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new FlotillaError("invalid", "a line of the engine's answer is not JSON", { cause: error });
  }
}
