import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Duplex, Writable } from "node:stream";
import { shieldBody } from "@flotilla/engine-api";
import { EXEMPT_HEADER, HIJACK_BODY_HEADER, HIJACK_HEADER, NAMESPACE_HEADER } from "@flotilla/protocol";
import type { Dispatcher } from "./dispatcher.ts";
import type { Responder, ResponseHead } from "./exchange.ts";
import { hasNoBody } from "./http1-responder.ts";
import { splitBody } from "./split-body.ts";

/** Headers of HTTP/1.1 connections, which HTTP/2 forbids (RFC 9113, section 8.2.2). */
const CONNECTION_HEADERS = new Set(["connection", "upgrade", "keep-alive", "transfer-encoding", "proxy-connection"]);

const NAMESPACE = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/**
 * The front end for the tunnel to the control plane, which has authenticated the caller: here, and only here, a header
 * names the namespace, and another one who is bound by no guard rail. A hijack is a full-duplex stream, answered with 200 and `x-flotilla-hijack: 101`; its request body
 * (JSON before the raw input) has the length of the header `x-flotilla-hijack-body`.
 */
export function handleHttp2Stream(dispatcher: Dispatcher, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  const gone = new AbortController();
  stream.on("close", () => {
    if (!stream.writableFinished) gone.abort();
  });
  stream.on("error", () => undefined);
  const header = (name: string): string | undefined => {
    const value = headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(", ") : value;
  };
  const namespace = header(NAMESPACE_HEADER) ?? "";
  // No fallback: a call whose owner was lost on the way must not become one of somebody else.
  if (!NAMESPACE.test(namespace)) {
    stream.respond({ ":status": 400, "content-type": "application/json" });
    stream.end(JSON.stringify({ message: `the header ${NAMESPACE_HEADER} names no namespace` }));
    return;
  }
  const bodyBytes = Number(header(HIJACK_BODY_HEADER) ?? Number.NaN);
  const split = Number.isSafeInteger(bodyBytes) && bodyBytes >= 0 ? splitBody(stream, bodyBytes) : undefined;
  const body = split?.body ?? shieldBody(stream);
  // What nobody read of a body would keep the stream, and so the connection, open after its answer.
  if (split === undefined) stream.once("finish", () => void (body.destroy(), stream.resume()));
  void dispatcher.dispatch({
    method: header(":method") ?? "GET",
    target: header(":path") ?? "/",
    namespace,
    isExempt: header(EXEMPT_HEADER) === "1",
    header,
    body,
    signal: gone.signal,
    responder: http2Responder(stream, header(":method") === "HEAD", async () => split?.skip()),
  });
}

function http2Responder(stream: ServerHttp2Stream, isHead: boolean, skipBody: () => Promise<void>): Responder {
  return {
    end: (head, body = new Uint8Array()) => {
      if (stream.destroyed) return;
      const isEmpty = isHead || hasNoBody(head.status);
      const length: Record<string, string> = hasNoBody(head.status) ? {} : { "content-length": String(body.length) };
      stream.respond({ ":status": head.status, ...length, ...plainHeaders(head) }, { endStream: isEmpty });
      if (!isEmpty) stream.end(body);
      // The answer is whole before the request is: the rest is not wanted (RFC 9113, section 8.1).
      if (!stream.readableEnded) stream.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR));
    },
    stream: (head): Writable => {
      if (!stream.destroyed) stream.respond({ ":status": head.status, ...plainHeaders(head) });
      return stream;
    },
    hijack: async (headers): Promise<Duplex> => {
      await skipBody();
      if (!stream.destroyed) stream.respond({ ":status": 200, [HIJACK_HEADER]: "101", ...plainHeaders({ status: 200, headers }) });
      return stream;
    },
  };
}

function plainHeaders(head: ResponseHead): Record<string, string> {
  const entries = Object.entries(head.headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(entries.filter(([name]) => !CONNECTION_HEADERS.has(name)));
}
