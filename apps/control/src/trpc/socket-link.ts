"use client";

import type { AppRouter } from "@flotilla/api";
import { createWSClient, type TRPCLink, wsLink } from "@trpc/client";

/** Subscriptions over one WebSocket, which opens with the first of them and closes when none is left. */
export function createSocketLink(): TRPCLink<AppRouter> {
  const client = createWSClient({
    url: `${window.location.protocol === "https:" ? "wss" : "ws"}://${window.location.host}/api/trpc`,
    lazy: { enabled: true, closeMs: 10_000 },
    keepAlive: { enabled: true, intervalMs: 20_000, pongTimeoutMs: 5_000 },
    retryDelayMs: (attempt) => Math.random() * Math.min(30_000, 300 * 2 ** attempt),
  });
  return wsLink<AppRouter>({ client });
}
