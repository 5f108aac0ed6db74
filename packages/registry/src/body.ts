import { FlotillaError } from "@flotilla/core";
import type { HttpResponse } from "./http-client.ts";

/**
 * The chunks of a body. Fails when none comes within the time while one is awaited; time that the reader takes does not
 * count. Leaving early closes the connection.
 */
export async function* readChunks(response: HttpResponse, stallTimeoutMs: number): AsyncGenerator<Buffer, void> {
  const iterator: AsyncIterator<unknown> = response.body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const timer = setTimeout(() => response.body.destroy(stalled(response)), stallTimeoutMs);
      const next = await iterator.next().finally(() => clearTimeout(timer));
      if (next.done === true) return;
      if (next.value instanceof Buffer) yield next.value;
    }
  } catch (error) {
    if (error instanceof FlotillaError) throw error;
    const isCancelled = error instanceof Error && error.name === "AbortError";
    const message = isCancelled ? "context canceled" : `${response.url.host}: unexpected EOF`;
    throw new FlotillaError("unavailable", message, { cause: error, details: isCancelled ? { isCancelled } : { isConnection: true } });
  } finally {
    // Nothing happens to a body that was read to its end: its connection is used again.
    response.body.destroy();
  }
}

/** A whole answer may take so many times as long as one stall: a server that sends byte after byte is left, too. */
const PATIENCE = 4;

/** The whole body of a small answer. @throws FlotillaError `too_large` beyond `maxBytes`. */
export async function readBody(response: HttpResponse, limits: { maxBytes: number; stallTimeoutMs: number }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => response.body.destroy(stalled(response)), limits.stallTimeoutMs * PATIENCE);
  try {
    for await (const chunk of readChunks(response, limits.stallTimeoutMs)) {
      length += chunk.length;
      if (length > limits.maxBytes)
        throw new FlotillaError("too_large", `${response.url.host}: answer is larger than ${limits.maxBytes} bytes`);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

/** Reads what little there may be and lets the connection go back to the pool; what is long is cut. */
export async function discardBody(response: HttpResponse): Promise<void> {
  try {
    await readBody(response, { maxBytes: 64 * 1024, stallTimeoutMs: 1000 });
  } catch {
    // The answer was already understood by its status.
  }
}

function stalled(response: HttpResponse): FlotillaError {
  return new FlotillaError("unavailable", `${response.url.host}: connection stalled`, { details: { isConnection: true } });
}
