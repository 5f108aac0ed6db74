import type { IncomingMessage } from "node:http";
import { applyWSSHandler, type WSSHandlerOptions } from "@trpc/server/adapters/ws";
import { type AppRouter, appRouter } from "./app-router.ts";
import type { StreamBounds } from "@flotilla/services";
import type { ApiContext } from "./context.ts";
import { SocketStreams } from "./socket-streams.ts";

type SocketServer = WSSHandlerOptions<AppRouter>["wss"];

/** Serves subscriptions on sockets that the caller has admitted (Origin, session) and hands to `server`. */
export function attachTrpcSockets(
  server: SocketServer,
  { bounds, createContext }: { bounds: StreamBounds; createContext: (req: IncomingMessage) => Promise<ApiContext> },
): void {
  applyWSSHandler<AppRouter>({
    wss: server,
    router: appRouter,
    createContext: async ({ req, res }) => ({ ...(await createContext(req)), streams: new SocketStreams(res, bounds) }),
    keepAlive: { enabled: true, pingMs: 20_000, pongWaitMs: 10_000 },
  });
}
