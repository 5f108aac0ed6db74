import type { Http2Stream } from "node:http2";
import type { Readable } from "node:stream";
import { FlotillaError } from "@flotilla/core";

/**
 * Sends a body on an HTTP/2 stream. The other end may answer before it has read everything and want no more: then the rest is
 * left to `drop`, and the stream stays whole, for its answer is still to be read (`pipeline` would destroy it). A body that
 * breaks off is a reset, never an end.
 */
export function sendBody(body: Readable, stream: Http2Stream, drop: () => void = () => body.destroy()): void {
  let isOver = false;
  const stop = (): void => {
    if (isOver) return;
    isOver = true;
    body.unpipe(stream);
    drop();
  };
  const breakOff = (error: Error): void => {
    if (isOver) return;
    isOver = true;
    stream.destroy(error);
  };
  stream.once("aborted", stop);
  stream.once("close", stop);
  body.on("error", breakOff);
  body.once("close", () => {
    if (!body.readableEnded) breakOff(new FlotillaError("unavailable", "the body broke off"));
  });
  body.pipe(stream);
}
