import type { Readable } from "node:stream";

const MAX_LINE_CHARS = 1024 * 1024;

/** The JSON documents of a stream of lines; what is no JSON is passed over. */
export async function* readJsonLines(body: Readable): AsyncGenerator {
  for await (const line of readLines(body)) {
    const trimmed = line.trim();
    if (trimmed === "") continue;
    try {
      yield JSON.parse(trimmed);
    } catch {
      continue;
    }
  }
}

/** A stream's lines without their ends; a line longer than a mebibyte is cut into several. */
export async function* readLines(body: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk as Buffer, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield line;
    if (rest.length > MAX_LINE_CHARS) {
      yield rest;
      rest = "";
    }
  }
  if (rest !== "") yield rest;
}
