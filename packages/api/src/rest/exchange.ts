import type { IncomingMessage, ServerResponse } from "node:http";
import { FlotillaError } from "@flotilla/core";
import type { Problem } from "./problem.ts";

/** `text` is a body that is JSON already. */
export type RestAnswer = { status: number; body?: unknown; text?: string; link?: string | undefined };

const MAX_BODY_BYTES = 1024 * 1024;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** The body as text and as JSON; an empty one is undefined. @throws invalid, too_large */
export async function readJson(req: IncomingMessage): Promise<{ text: string; value: unknown }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new FlotillaError("too_large", `a body may have ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (size === 0) return { text: "", value: undefined };
  const type = req.headers["content-type"] ?? "";
  if (!/^application\/json(\s*;|$)/i.test(type)) throw new FlotillaError("invalid", "a body must be application/json");
  const text = Buffer.concat(chunks).toString("utf8");
  try {
    return { text, value: JSON.parse(text) as unknown };
  } catch (error) {
    throw new FlotillaError("invalid", "the body is not JSON", { cause: error });
  }
}

/** @throws invalid when the header is there and is not 1 to 255 visible characters. */
export function readIdempotencyKey(req: IncomingMessage): string | undefined {
  const key = req.headers["idempotency-key"];
  if (key === undefined) return undefined;
  if (typeof key !== "string" || !IDEMPOTENCY_KEY.test(key))
    throw new FlotillaError("invalid", "Idempotency-Key must have 1 to 255 visible ASCII characters");
  return key;
}

export function sendAnswer(res: ServerResponse, { status, body, text: made, link }: RestAnswer): void {
  if (res.destroyed) return;
  const headers: Record<string, string | number> = { "cache-control": "no-store", ...(link === undefined ? {} : { link }) };
  const text = made ?? (JSON.stringify(body) as string | undefined);
  if (text === undefined) {
    res.writeHead(status, headers).end();
    return;
  }
  res.writeHead(status, { ...headers, "content-type": "application/json", "content-length": Buffer.byteLength(text) }).end(text);
}

export function sendProblem(res: ServerResponse, problem: Problem): void {
  if (res.destroyed) return;
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const text = JSON.stringify(problem);
  // A body that was not read to its end would be taken for the next request.
  if (problem.status === 413 || problem.status === 401) res.setHeader("connection", "close");
  res
    .writeHead(problem.status, {
      "content-type": "application/problem+json",
      "content-length": Buffer.byteLength(text),
      "cache-control": "no-store",
    })
    .end(text);
}
