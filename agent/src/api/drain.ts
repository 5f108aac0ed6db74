import type { Readable } from "node:stream";

/**
 * Reads and drops what the other side still sends, and destroys the stream at its end or when it passes a limit.
 *
 * Closing a socket with unread input resets it, and the client would lose an answer that it has not read yet; reading for
 * ever would let a client keep a connection busy.
 */
export function drainThenDestroy(stream: Readable, limits: { bytes: number; ms: number }): void {
  let seen = 0;
  const timer = Number.isFinite(limits.ms) ? setTimeout(() => stream.destroy(), limits.ms) : undefined;
  timer?.unref();
  stream.on("data", (chunk: Buffer) => {
    seen += chunk.length;
    if (seen > limits.bytes) stream.destroy();
  });
  stream.on("error", () => undefined);
  stream.once("end", () => stream.destroy());
  stream.once("close", () => clearTimeout(timer));
  stream.resume();
}
