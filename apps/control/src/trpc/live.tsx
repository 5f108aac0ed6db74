"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useSubscription } from "@trpc/tanstack-react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { useTRPC } from "@/trpc/client.ts";
import { createStaleCollector, EVERY_QUERY, type QueryPath, staleQueries } from "@/trpc/live-queries.ts";

export type LiveState = "connected" | "connecting" | "lost";

const LiveContext = createContext<LiveState>("connecting");

/** Whether the page hears of changes: for the dot in the header. */
export function useLiveState(): LiveState {
  return useContext(LiveContext);
}

const REFRESH_INTERVAL_MS = 500;

/**
 * Keeps the pages below it live by the one event stream: each event makes the queries it concerns stale, and so does each (new)
 * beginning of the stream.
 */
export function LiveProvider({ isSignedIn, children }: { isSignedIn: boolean; children: ReactNode }): ReactNode {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [collector] = useState(() =>
    createStaleCollector(REFRESH_INTERVAL_MS, (paths: QueryPath[]) => {
      // A running request is left to finish, since cancelling it for each event would keep a busy list from ever arriving; but what
      // it brings may be from before the event, so it is asked again afterwards.
      const busy = paths.filter((path) => queryClient.isFetching({ queryKey: [path] }) > 0);
      for (const path of paths) if (!busy.includes(path)) void queryClient.invalidateQueries({ queryKey: [path] });
      return busy;
    }),
  );
  useEffect(() => () => collector.stop(), [collector]);

  const { status } = useSubscription(
    trpc.live.onEvents.subscriptionOptions(undefined, {
      enabled: isSignedIn,
      // What happened before the stream began, or while it was away, was not heard: everything on the page is asked again.
      onStarted: () => collector.add([EVERY_QUERY]),
      onData: (batch) => collector.add(staleQueries(batch.events)),
    }),
  );
  const state: LiveState = status === "pending" ? "connected" : status === "error" ? "lost" : "connecting";
  return <LiveContext value={state}>{children}</LiveContext>;
}
