"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useSubscription } from "@trpc/tanstack-react-query";
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from "react";
import { useTRPC } from "@/trpc/client.ts";
import { createStaleCollector, type QueryPath, staleQueries } from "@/trpc/live-queries.ts";

export type LiveState = "connected" | "connecting" | "lost";

const LiveContext = createContext<LiveState>("connecting");

/** Whether the page hears of changes: for the dot in the header. */
export function useLiveState(): LiveState {
  return useContext(LiveContext);
}

const REFRESH_INTERVAL_MS = 500;

/**
 * Keeps the pages below it live by the one event stream: each event makes the queries it concerns stale. After the connection was
 * away everything on the page is asked again, since events of that time were not heard.
 */
export function LiveProvider({ isSignedIn, children }: { isSignedIn: boolean; children: ReactNode }): ReactNode {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [collector] = useState(() =>
    createStaleCollector(REFRESH_INTERVAL_MS, (paths: QueryPath[]) => {
      // A running request is left to finish: cancelling it for each event would keep a busy list from ever arriving.
      for (const path of paths) void queryClient.invalidateQueries({ queryKey: [path] }, { cancelRefetch: false });
    }),
  );
  useEffect(() => () => collector.stop(), [collector]);

  const hasBeenAway = useRef(false);
  const { status } = useSubscription(
    trpc.live.onEvents.subscriptionOptions(undefined, {
      enabled: isSignedIn,
      onStarted: () => {
        if (hasBeenAway.current) void queryClient.invalidateQueries();
        hasBeenAway.current = false;
      },
      onConnectionStateChange: (state) => {
        if (state.state === "connecting" && state.error !== null) hasBeenAway.current = true;
      },
      onData: (batch) => collector.add(staleQueries(batch.events)),
    }),
  );
  const state: LiveState = status === "pending" ? "connected" : status === "error" ? "lost" : "connecting";
  return <LiveContext value={state}>{children}</LiveContext>;
}
