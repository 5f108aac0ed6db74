import type { Duplex, Writable } from "node:stream";
import { http } from "@flotilla/engine-api/node-http";
import { drainThenDestroy } from "./drain.ts";
import type { Responder, ResponseHead } from "./exchange.ts";
import { hasNoBody } from "./http1-responder.ts";
import type { SplitBody } from "./split-body.ts";

/** A connection that ended on our side is given this long to be closed by the client. */
const LINGER = { bytes: 16 * 1024 * 1024, ms: 10_000 };

/**
 * Answers a request that came with `Upgrade`: Node hands the bare socket over, so the head is written by hand. Answers
 * other than a hijack end the connection.
 */
export function rawResponder(socket: Duplex, request: SplitBody): Responder {
  return {
    end: (head, body = new Uint8Array()) => {
      const length: Record<string, string> = hasNoBody(head.status) ? {} : { "Content-Length": String(body.length) };
      socket.write(formatHead({ status: head.status, headers: { ...head.headers, ...length, Connection: "close" } }));
      socket.end(hasNoBody(head.status) ? undefined : body);
      drainThenDestroy(socket, LINGER);
    },
    stream: (head): Writable => {
      socket.write(formatHead({ status: head.status, headers: { ...head.headers, Connection: "close" } }));
      drainThenDestroy(socket, { bytes: LINGER.bytes, ms: Number.POSITIVE_INFINITY });
      return socket;
    },
    hijack: async (headers, protocol): Promise<Duplex> => {
      await request.skip();
      socket.write(formatHead({ status: 101, headers: { ...headers, Connection: "Upgrade", Upgrade: protocol } }));
      socket.once("finish", () => drainThenDestroy(socket, LINGER));
      return socket;
    },
  };
}

function formatHead(head: ResponseHead): string {
  // Docker's own reason phrase; some old clients compare the whole line.
  const reason = head.status === 101 ? "UPGRADED" : (http.STATUS_CODES[head.status] ?? "");
  // A value is cut at a line break: what a client sent can come back in a header, and must not start a new one.
  const lines = Object.entries(head.headers).map(([name, value]) => `${name}: ${value.split(/[\r\n]/, 1)[0] ?? ""}\r\n`);
  return `HTTP/1.1 ${head.status} ${reason}\r\n${lines.join("")}\r\n`;
}
