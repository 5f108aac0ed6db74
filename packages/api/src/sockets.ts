import type { IncomingMessage } from "node:http";
import { applyWSSHandler, type WSSHandlerOptions } from "@trpc/server/adapters/ws";
import { type AppRouter, appRouter } from "./app-router.ts";
import type { ApiContext } from "./context.ts";

type SocketServer = WSSHandlerOptions<AppRouter>["wss"];

/** Serves subscriptions on sockets that the caller has admitted (Origin, session) and hands to `server`. */
export function attachTrpcSockets(server: SocketServer, createContext: (req: IncomingMessage) => Promise<ApiContext>): void {
  applyWSSHandler<AppRouter>({
    wss: server,
    router: appRouter,
    createContext: ({ req }) => createContext(req),
    keepAlive: { enabled: true, pingMs: 20_000, pongWaitMs: 10_000 },
  });
}
