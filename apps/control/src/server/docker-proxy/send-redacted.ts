import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { readText, redactAnswer } from "@flotilla/services";
import { answerError } from "../http/answer.ts";
import { returnHeaders } from "./forward-headers.ts";

const MAX_BYTES = 32 * 1024 * 1024;

/** Answers with what the engine said of its containers, without their environments, arguments and labels. */
export async function sendRedacted(
  response: { headers: Readonly<Record<string, string>>; body: Readable },
  res: ServerResponse,
): Promise<void> {
  try {
    const text = JSON.stringify(redactAnswer(JSON.parse(await readText(response.body, MAX_BYTES))));
    const { "content-length": _, "content-encoding": __, ...headers } = returnHeaders(response.headers);
    res.writeHead(200, { ...headers, "content-length": String(Buffer.byteLength(text)) });
    res.end(text);
  } catch (error) {
    // What cannot be read cannot be redacted, and is not shown.
    answerError(res, error);
  }
}
