import { chmodSync, closeSync, constants, mkdirSync, openSync, rmSync } from "node:fs";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { connect, type Socket } from "node:net";
import { basename, dirname, join } from "node:path";
import { FlotillaError, type Logger } from "@flotilla/core";
import { DEFAULT_BODY_LIMITS, type BodyLimits } from "./body.ts";
import type { Route } from "./call.ts";
import { Dispatcher } from "./dispatcher.ts";
import { createHttp1Server } from "./http1-server.ts";
import { handleHttp2Stream } from "./http2-front-end.ts";

export type ApiServerOptions = {
  routes: readonly Route[];
  /** Version of Flotilla, for the Server header. */
  productVersion: string;
  logger: Logger;
  limits?: BodyLimits;
};

export type ApiServer = {
  /**
   * Serves namespace `default` on a unix socket (mode 0660). The socket of an agent that died is replaced.
   * @throws FlotillaError `conflict` when another agent serves there.
   */
  listen(socketPath: string): Promise<void>;
  /** One call that came through the tunnel; its namespace is in a header. */
  handleHttp2Stream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
  /** Stops listening and cuts open connections. */
  close(): Promise<void>;
};

const SOCKET_MODE = 0o660;

/** The Docker Engine API: one dispatcher behind two front ends. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const dispatcher = new Dispatcher({ ...options, limits: options.limits ?? DEFAULT_BODY_LIMITS });
  const server = createHttp1Server(dispatcher, "default");
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  let directory: SocketDirectory | undefined;
  return {
    listen: async (socketPath) => {
      directory = await claimSocket(socketPath);
      const { path } = directory;
      // The umask makes the socket private from its first instant; the mode is opened to the group after.
      const umask = process.umask(0o177);
      try {
        await new Promise<void>((resolve, reject) => {
          server.once("error", reject);
          server.listen(path, resolve);
        });
      } finally {
        process.umask(umask);
      }
      chmodSync(path, SOCKET_MODE);
    },
    handleHttp2Stream: (stream, headers) => handleHttp2Stream(dispatcher, stream, headers),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      directory?.close();
    },
  };
}

type SocketDirectory = { path: string; close(): void };

/** A unix socket's path has at most 107 bytes (unix(7)): a longer one is reached through its directory's descriptor. */
const MAX_SOCKET_PATH_BYTES = 100;

async function claimSocket(socketPath: string): Promise<SocketDirectory> {
  mkdirSync(dirname(socketPath), { recursive: true });
  const directory = openSocketDirectory(socketPath);
  if (await isServed(directory.path)) {
    directory.close();
    throw new FlotillaError("conflict", `listen on ${socketPath}: another agent serves there`);
  }
  rmSync(directory.path, { force: true });
  return directory;
}

function openSocketDirectory(socketPath: string): SocketDirectory {
  if (Buffer.byteLength(socketPath) <= MAX_SOCKET_PATH_BYTES) return { path: socketPath, close: () => undefined };
  const fd = openSync(dirname(socketPath), constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: join("/proc/self/fd", String(fd), basename(socketPath)), close: () => closeSync(fd) };
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}
