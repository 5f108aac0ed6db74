import { constants, type Http2Stream } from "node:http2";

/**
 * Resets a stream whose answer nobody wants any more. `close` ends the own half properly first: what was cut off would look whole
 * to the other end.
 */
export function cancelStream(stream: Http2Stream): void {
  if (stream.closed || stream.destroyed) return;
  if (stream.writableEnded) stream.close(constants.NGHTTP2_CANCEL);
  else stream.destroy(new DOMException("the call was given up", "AbortError"));
}
