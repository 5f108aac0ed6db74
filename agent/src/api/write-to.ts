import { once } from "node:events";
import type { Writable } from "node:stream";

/** Writes and waits until there is room for more. Returns false when the other side is gone. */
export async function writeTo(sink: Writable, chunk: Uint8Array | string): Promise<boolean> {
  if (sink.destroyed || sink.writableEnded) return false;
  if (sink.write(chunk)) return true;
  const settled = new AbortController();
  try {
    // Whichever comes first; a destroyed stream never drains.
    await Promise.race([
      once(sink, "drain", { signal: settled.signal }),
      once(sink, "close", { signal: settled.signal }),
      once(sink, "error", { signal: settled.signal }),
    ]);
  } catch {
    return false;
  } finally {
    settled.abort();
  }
  return !sink.destroyed;
}
