import type { IncomingMessage } from "node:http";
import { finished } from "node:stream";

/** The parser stops reading when so much waits for its consumer. */
const MAX_WAITING_BYTES = 512 * 1024;

/**
 * The pieces of a body as the parser makes them, without the copies of a stream's own iterator. A piece is used until the next one
 * is asked for: then its memory is given back, which a garbage collection of all that the control plane holds would else be
 * needed for, again and again. Leaving early does not end the connection, which has an answer to carry.
 */
export async function* takeBody(req: IncomingMessage): AsyncGenerator<Uint8Array> {
  const waiting: Buffer[] = [];
  let bytes = 0;
  let end: { error: Error | undefined } | undefined;
  let changed = Promise.withResolvers<void>();
  const take = (piece: Buffer): void => {
    waiting.push(piece);
    bytes += piece.length;
    if (bytes >= MAX_WAITING_BYTES) req.pause();
    changed.resolve();
  };
  const stopWatching = finished(req, { writable: false }, (error) => {
    end = { error: error ?? undefined };
    changed.resolve();
  });
  req.on("data", take);
  try {
    for (;;) {
      for (let piece = waiting.shift(); piece !== undefined; piece = waiting.shift()) {
        bytes -= piece.length;
        yield piece;
        release(piece);
      }
      if (end !== undefined) break;
      if (req.isPaused()) req.resume();
      await changed.promise;
      changed = Promise.withResolvers<void>();
    }
    if (end.error !== undefined) throw end.error;
  } finally {
    stopWatching();
    req.off("data", take);
    req.pause();
  }
}

/** Detaches memory that nobody else can have: a piece that is a part of more is left alone. */
function release({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
