import type { Readable } from "node:stream";
import { FlotillaError } from "@flotilla/core";
import type { z } from "zod";

export type BodyLimits = {
  /** Larger JSON bodies are refused. */
  maxJsonBytes: number;
  /** A JSON body must have come whole within this time. */
  jsonTimeoutMs: number;
  /** After an answer that came before the end of the body, the rest is read and dropped for this long at most. */
  unreadMs: number;
};

export const DEFAULT_BODY_LIMITS: BodyLimits = { maxJsonBytes: 4 * 1024 * 1024, jsonTimeoutMs: 60_000, unreadMs: 10_000 };

/**
 * Reads a whole JSON body and parses it by `schema`; an empty body is `{}`.
 * @throws FlotillaError `too_large`, or `invalid` for bytes that are not UTF-8, not JSON, not of this shape, or do not end.
 */
export async function readJson<T extends z.ZodType>(body: Readable, schema: T, limits: BodyLimits): Promise<z.output<T>> {
  const text = decodeUtf8(await readBounded(body, limits));
  // Go's decoder leaves the zero value for `null`, so clients may send it for "nothing".
  const result = schema.safeParse(text.trim() === "" ? {} : (parseJson(text) ?? {}));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw new FlotillaError("invalid", `invalid JSON: ${where}${issue?.message ?? "unexpected shape"}`);
}

/** All bytes of a stream, up to a size and a time. The stream is left where it is when one of them is passed. */
async function readBounded(body: Readable, limits: BodyLimits): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: Error): void => {
      clearTimeout(timer);
      body.off("data", onData).off("end", onEnd).off("error", settle).off("close", onClose);
      if (error === undefined) resolve();
      else {
        body.pause();
        reject(error);
      }
    };
    const timer = setTimeout(() => settle(new FlotillaError("invalid", "read request body: it did not end in time")), limits.jsonTimeoutMs);
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > limits.maxJsonBytes) settle(new FlotillaError("too_large", `request body is larger than ${limits.maxJsonBytes} bytes`));
    };
    const onEnd = (): void => settle();
    const onClose = (): void => settle(new FlotillaError("invalid", "read request body: unexpected end"));
    body.on("data", onData).on("end", onEnd).on("error", settle).on("close", onClose);
    if (body.readableEnded) settle();
    else if (body.destroyed) onClose();
  });
  return Buffer.concat(chunks);
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new FlotillaError("invalid", "invalid JSON: the body is not UTF-8");
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FlotillaError("invalid", `invalid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
