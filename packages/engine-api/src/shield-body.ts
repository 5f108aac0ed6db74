import { Readable } from "node:stream";

/**
 * A request's body as a handler reads it. Whoever ends early (a broken `for await`, a pipeline that fails) destroys what it
 * reads, and with the request itself would go the connection, before the answer that says why. Here only the reading ends;
 * the source is left where it is, to be drained. A source that breaks off is an error, never an end.
 */
export function shieldBody(source: Readable): Readable {
  let isOver = false;
  const body = new Readable({
    read: () => void source.resume(),
    destroy: (error, done) => {
      source.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onError).pause();
      done(error);
    },
  });
  const onData = (chunk: Buffer): void => {
    if (!body.push(chunk)) source.pause();
  };
  const onEnd = (): void => {
    isOver = true;
    body.push(null);
  };
  const onClose = (): void => {
    if (!isOver) body.destroy(new Error("unexpected end of the request body"));
  };
  const onError = (error: Error): void => void body.destroy(error);
  body.on("error", () => undefined);
  source.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onError);
  source.pause();
  return body;
}
