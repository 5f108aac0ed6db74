import type { Http2Stream } from "node:http2";
import { constants } from "node:http2";
import { Readable } from "node:stream";
import { FlotillaError } from "@flotilla/core";
import { cancelStream } from "./cancel-stream.ts";

/**
 * What comes on an HTTP/2 stream, of either end, as a plain readable with back-pressure; destroying it cancels the call. Node's own
 * stream calls itself closed when the protocol is done, also with data unread: `pipeline` and `for await` then report a
 * premature end and drop them.
 */
export function answerBody(stream: Http2Stream): Readable {
  let hasEnded = false;
  const body = new Readable({
    read: () => void stream.resume(),
    destroy: (error, done) => {
      if (!hasEnded) cancelStream(stream);
      done(error);
    },
  });
  // Explicitly paused: neither a listener nor the end of the stream may start it before somebody reads.
  stream.pause();
  stream.on("data", (chunk: Buffer) => {
    if (!body.push(chunk)) stream.pause();
  });
  stream.once("end", () => {
    hasEnded = true;
    // A stream that was reset ends too: only the other end's own END_STREAM makes it a whole answer.
    if (stream.rstCode === constants.NGHTTP2_NO_ERROR) body.push(null);
    else body.destroy(cut());
  });
  stream.once("close", () => {
    if (!hasEnded) body.destroy(cut());
  });
  stream.on("error", (error) => body.destroy(error));
  // Without a reader an error is nobody's; with one, the reader gets it too.
  body.on("error", () => undefined);
  return body;
}

function cut(): FlotillaError {
  return new FlotillaError("unavailable", "the host's answer was cut off");
}
