import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { shieldBody } from "@flotilla/engine-api";
import { http } from "@flotilla/engine-api/node-http";
import type { Dispatcher } from "./dispatcher.ts";
import { http1Responder } from "./http1-responder.ts";
import { rawResponder } from "./raw-responder.ts";
import { splitBody } from "./split-body.ts";

/** Go's clients put whole filter sets into the query. */
const MAX_HEADER_BYTES = 128 * 1024;
const HEADERS_TIMEOUT_MS = 60_000;

/** The protocols that this engine upgrades to. Any other `Upgrade` (curl offers h2c everywhere) is ignored, as RFC 9110 allows. */
const UPGRADES = /^(tcp|websocket)$/i;

/** The HTTP/1.1 front end for one namespace; listening is the caller's. */
export function createHttp1Server(dispatcher: Dispatcher, namespace: string): Server {
  const server = http.createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    // Uploads and followed logs last as long as they last; a request's head must come in time.
    requestTimeout: 0,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Go's clients keep connections for 90 s and send a POST on one that the server is just closing: dockerd never closes them.
    keepAliveTimeout: 0,
    shouldUpgradeCallback: (request) => UPGRADES.test(request.headers.upgrade ?? ""),
  });
  server.on("request", (request, response) => {
    const gone = new AbortController();
    response.on("close", () => {
      if (!response.writableFinished) gone.abort();
    });
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    const body = shieldBody(request);
    void dispatcher.dispatch({
      ...describeRequest(request, namespace),
      body,
      signal: gone.signal,
      responder: http1Responder({ request, response, body, unreadMs: dispatcher.limits.unreadMs }),
    });
  });
  server.on("upgrade", (request, socket, head) => {
    dispatchUpgrade({ dispatcher, namespace, request, socket, head });
  });
  server.on("clientError", (error, socket) => refuseBroken(error, socket));
  return server;
}

type Upgrade = { dispatcher: Dispatcher; namespace: string; request: IncomingMessage; socket: Duplex; head: Buffer };

function dispatchUpgrade({ dispatcher, namespace, request, socket, head }: Upgrade): void {
  const gone = new AbortController();
  socket.on("error", () => gone.abort());
  socket.on("close", () => gone.abort());
  if (head.length > 0) socket.unshift(head);
  const length = Number(request.headers["content-length"] ?? "0");
  if (!Number.isSafeInteger(length) || length < 0 || request.headers["transfer-encoding"] !== undefined) {
    refuseBroken(new Error("a request that upgrades must have a body of known length"), socket);
    return;
  }
  const split = splitBody(socket, length);
  void dispatcher.dispatch({
    ...describeRequest(request, namespace),
    body: split.body,
    signal: gone.signal,
    responder: rawResponder(socket, split),
  });
}

function describeRequest(request: IncomingMessage, namespace: string) {
  const header = (name: string): string | undefined => {
    const value = request.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(", ") : value;
  };
  // Whoever may speak to the socket is root on this machine.
  return { method: request.method ?? "GET", target: request.url ?? "/", namespace, isExempt: true, header };
}

/** Answers what the parser could not read, and closes. */
function refuseBroken(error: Error, socket: Duplex): void {
  const isTooLarge = "code" in error && error.code === "HPE_HEADER_OVERFLOW";
  const [status, message] = isTooLarge
    ? ["431 Request Header Fields Too Large", "request headers are too large"]
    : ["400 Bad Request", error.message];
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = `${JSON.stringify({ message })}\n`;
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
