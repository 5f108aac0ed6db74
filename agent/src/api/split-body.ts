import { PassThrough, type Duplex, type Readable } from "node:stream";
import { finished } from "node:stream/promises";

export type SplitBody = {
  /** Exactly the request's body. */
  body: Readable;
  /** Drops what nobody read of the body; then the connection stands at the byte behind it. */
  skip(): Promise<void>;
};

/**
 * Splits a connection on which a request body of known length is followed by other bytes: what clients send with an
 * upgrade (the JSON of an exec, then its standard input). Node does not read that body itself. docker-modem sends a body
 * with an attach too, which must not become standard input.
 */
export function splitBody(connection: Duplex, bodyBytes: number): SplitBody {
  const body = new PassThrough();
  body.on("error", () => undefined);
  let left = bodyBytes;
  const stop = (): void => {
    connection.off("readable", onReadable).off("end", onCut).off("close", onCut);
  };
  const onReadable = (): void => {
    while (left > 0) {
      const chunk: unknown = connection.read(Math.min(left, connection.readableLength));
      if (!Buffer.isBuffer(chunk) || chunk.length === 0) return;
      left -= chunk.length;
      body.write(chunk);
    }
    stop();
    body.end();
  };
  const onCut = (): void => {
    stop();
    body.destroy(new Error("unexpected end of the request body"));
  };
  if (bodyBytes === 0) body.end();
  else {
    connection.on("readable", onReadable).on("end", onCut).on("close", onCut);
    onReadable();
  }
  return {
    body,
    skip: async () => {
      body.resume();
      if (!body.readableEnded) await finished(body, { writable: false });
    },
  };
}
