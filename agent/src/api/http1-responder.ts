import type { IncomingMessage, ServerResponse } from "node:http";
import { Duplex, type Readable, type Writable } from "node:stream";
import { drainThenDestroy } from "./drain.ts";
import type { Responder, ResponseHead } from "./exchange.ts";

export type Http1Exchange = {
  request: IncomingMessage;
  response: ServerResponse;
  /** What the handler reads of the request, by `shieldBody`. */
  body: Readable;
  unreadMs: number;
};

/**
 * Answers an ordinary HTTP/1.1 request. What is unread of its body by then is read and dropped until the client closes, or
 * for `unreadMs`: fewer bytes, or `Connection: close` (which has Node close at once), would reset the connection under a
 * client that is still writing, and the client would tell of a broken pipe instead of the answer.
 */
export function http1Responder({ request, response, body: requestBody, unreadMs }: Http1Exchange): Responder {
  const drain = (): void => {
    requestBody.destroy();
    if (request.complete) request.resume();
    else drainThenDestroy(request, { bytes: Number.POSITIVE_INFINITY, ms: unreadMs });
  };
  const isHead = request.method === "HEAD";
  return {
    end: (head, body = new Uint8Array()) => {
      writeHead(response, { head, bodyBytes: body.length });
      response.end(isHead || hasNoBody(head.status) ? undefined : body);
      drain();
    },
    stream: (head): Writable => {
      writeHead(response, { head, bodyBytes: undefined });
      response.flushHeaders();
      response.once("finish", drain);
      return response;
    },
    // Without an Upgrade header there is no way back to the client's raw bytes, so the request body is the input, and the
    // output goes raw to the end of the connection, as Docker answers old clients.
    hijack: async (headers): Promise<Duplex> => {
      response.useChunkedEncodingByDefault = false;
      response.shouldKeepAlive = false;
      writeHead(response, { head: { status: 200, headers: { ...headers, Connection: "close" } }, bodyBytes: undefined });
      response.flushHeaders();
      return Duplex.from({ readable: requestBody, writable: response });
    },
  };
}

function writeHead(response: ServerResponse, answer: { head: ResponseHead; bodyBytes: number | undefined }): void {
  const { head, bodyBytes } = answer;
  const headers: Record<string, string | number> = { ...head.headers };
  if (bodyBytes !== undefined && !hasNoBody(head.status)) headers["Content-Length"] = headers["Content-Length"] ?? bodyBytes;
  response.writeHead(head.status, headers);
}

/** Statuses whose answers must not carry a body or a length (RFC 9110, section 6.4.1). */
export function hasNoBody(status: number): boolean {
  return status === 204 || status === 304 || status < 200;
}
