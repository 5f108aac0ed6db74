import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { FlotillaError } from "@flotilla/core";
import type { ControlConfig } from "../env.ts";

const HEADERS_TIMEOUT_MS = 15_000;
/** How often Node looks for clients that are over that time; its own interval is twice as long as the time. */
const SLOW_CHECK_MS = 5_000;
/** A body gathers this much while its reader is busy: an upload comes in few large pieces instead of many of 64 KiB. */
const BODY_BYTES = 256 * 1024;

/** The server of the one port, not listening yet; `close` ends every connection too. */
export function createListener(tls: ControlConfig["tls"]): { server: Server; close: () => Promise<void> } {
  const server = createServer(tls);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { server, close };
}

function createServer(tls: ControlConfig["tls"]): Server {
  // Uploads may take hours (requestTimeout); a client that does not even finish its headers may not.
  const options = {
    connectionsCheckingInterval: SLOW_CHECK_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    highWaterMark: BODY_BYTES,
  };
  if (tls === undefined) return createHttpServer(options);
  const secrets = { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) };
  return createHttpsServer({ ...options, ...secrets, handshakeTimeout: HEADERS_TIMEOUT_MS });
}

/** Listens; returns where, such as `http://127.0.0.1:7420`. @throws conflict. */
export async function listen(server: Server, config: ControlConfig): Promise<string> {
  const { host, port } = config.listen;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(new FlotillaError("conflict", `listen on ${host}:${port}: ${error.message}`, { cause: error })));
    server.listen(port, host, resolve);
  });
  const bound = server.address() as AddressInfo;
  return `${config.tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${bound.port}`;
}
