"use client";

import type { AppRouter } from "@flotilla/api";
import { QueryCache, QueryClient } from "@tanstack/react-query";
import { createTRPCClient, createWSClient, httpBatchLink, splitLink, TRPCClientError, wsLink } from "@trpc/client";
import { createTRPCContext } from "@trpc/tanstack-react-query";
import { departure } from "@/lib/departure.ts";

export const { TRPCProvider, useTRPC, useTRPCClient } = createTRPCContext<AppRouter>();

export type Trpc = ReturnType<typeof createTRPCClient<AppRouter>>;

/** The `data.code` of a failed call, or null when the server was not reached. */
export function errorCode(error: unknown): string | null {
  if (!(error instanceof TRPCClientError)) return null;
  const data: unknown = error.data;
  return typeof data === "object" && data !== null && "code" in data && typeof data.code === "string" ? data.code : null;
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * The cache of a tab. Pages do not poll: the event stream says what is stale, so nothing goes stale by age. A call that was refused or
 * that named something unknown is not tried again; one that did not reach the server is, twice.
 */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (errorCode(error) === "UNAUTHORIZED") departure.expire();
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        refetchOnWindowFocus: false,
        retry: (failures, error) => errorCode(error) === null && failures < 2,
      },
    },
  });
}

/** Queries and mutations in HTTP batches, subscriptions over one WebSocket that opens with the first of them. */
export function createTrpcClient(): Trpc {
  const http = httpBatchLink({ url: "/api/trpc", maxURLLength: 4_000 });
  // Pages are also rendered on the server, where nothing is fetched and no socket may open.
  if (typeof window === "undefined") return createTRPCClient<AppRouter>({ links: [http] });
  const socket = createWSClient({
    url: `${window.location.protocol === "https:" ? "wss" : "ws"}://${window.location.host}/api/trpc`,
    lazy: { enabled: true, closeMs: 10_000 },
    keepAlive: { enabled: true, intervalMs: 20_000, pongTimeoutMs: 5_000 },
    retryDelayMs: (attempt) => Math.random() * Math.min(30_000, 300 * 2 ** attempt),
  });
  return createTRPCClient<AppRouter>({
    links: [splitLink({ condition: (operation) => operation.type === "subscription", true: wsLink({ client: socket }), false: http })],
  });
}
