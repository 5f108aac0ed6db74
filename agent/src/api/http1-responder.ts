import type { IncomingMessage, ServerResponse } from "node:http";
import { Duplex, type Writable } from "node:stream";
import { drainThenDestroy } from "./drain.ts";
import type { Responder, ResponseHead } from "./exchange.ts";

/** After an answer that came before the end of the body, this much of the rest is read before the connection is cut. */
const MAX_DRAIN = { bytes: 256 * 1024, ms: 1_000 };

/** Answers an ordinary HTTP/1.1 request. */
export function http1Responder(request: IncomingMessage, response: ServerResponse): Responder {
  const isHead = request.method === "HEAD";
  return {
    end: (head, body = new Uint8Array()) => {
      writeHead(request, response, { head, bodyBytes: body.length });
      response.end(isHead || hasNoBody(head.status) ? undefined : body);
      if (!request.complete) drainThenDestroy(request, MAX_DRAIN);
    },
    stream: (head): Writable => {
      writeHead(request, response, { head, bodyBytes: undefined });
      response.flushHeaders();
      return response;
    },
    // Without an Upgrade header there is no way back to the client's raw bytes, so the request body is the input, and the
    // output goes raw to the end of the connection, as Docker answers old clients.
    hijack: async (headers): Promise<Duplex> => {
      response.useChunkedEncodingByDefault = false;
      response.shouldKeepAlive = false;
      writeHead(request, response, { head: { status: 200, headers: { ...headers, Connection: "close" } }, bodyBytes: undefined });
      response.flushHeaders();
      return Duplex.from({ readable: request, writable: response });
    },
  };
}

function writeHead(
  request: IncomingMessage,
  response: ServerResponse,
  answer: { head: ResponseHead; bodyBytes: number | undefined },
): void {
  const { head, bodyBytes } = answer;
  const headers: Record<string, string | number> = { ...head.headers };
  if (bodyBytes !== undefined && !hasNoBody(head.status)) headers["Content-Length"] = headers["Content-Length"] ?? bodyBytes;
  if (!request.complete) headers["Connection"] = "close";
  response.writeHead(head.status, headers);
}

/** Statuses whose answers must not carry a body or a length (RFC 9110, section 6.4.1). */
export function hasNoBody(status: number): boolean {
  return status === 204 || status === 304 || status < 200;
}
