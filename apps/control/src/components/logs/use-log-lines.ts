"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import { appendLines, type LogInput, type LogLine } from "@/lib/log-buffer.ts";
import { useTRPCClient } from "@/trpc/client.ts";

export type LogLines = {
  lines: readonly LogLine[];
  status: "connecting" | "live" | "ended" | "failed";
  error: string | null;
  clear: () => void;
  retry: () => void;
};

/** How many of the newest lines are asked for, and how many are kept: enough to read back, little enough for a phone. */
const FIRST_LINES = 1_000;
const KEPT_LINES = 10_000;
/** While the reader has scrolled away nothing may move under their eyes, up to here. */
const KEPT_WHILE_PAUSED = 50_000;

export type LogSource = {
  host: string;
  id: string;
  /** When the program started: a new start follows a new log stream, since the old one ended with the program. */
  startedAt: string;
  isPaused: boolean;
};

/** A container's log as it grows. Batches are put into the page once a frame, however fast they come. */
export function useLogLines({ host, id, startedAt, isPaused }: LogSource): LogLines {
  const client = useTRPCClient();
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  const [status, setStatus] = useState<LogLines["status"]>("connecting");
  const [error, setError] = useState<string | null>(null);
  const [attempt, setAttempt] = useState(0);
  const limit = useRef(KEPT_LINES);
  useEffect(() => {
    limit.current = isPaused ? KEPT_WHILE_PAUSED : KEPT_LINES;
  }, [isPaused]);

  useEffect(() => {
    let waiting: LogInput[] = [];
    let frame = 0;
    const flush = (): void => {
      frame = 0;
      const added = waiting;
      waiting = [];
      setLines((before) => appendLines(before, added, limit.current));
    };
    setStatus("connecting");
    setError(null);
    const subscription = client.containers.onLogs.subscribe(
      { host, id, tail: FIRST_LINES, follow: true, timestamps: true },
      {
        // A connection that was lost and came back begins again with the newest lines.
        onStarted: () => {
          waiting = [];
          setLines([]);
          setStatus("live");
        },
        onData: (batch) => {
          waiting.push(...batch.lines);
          if (frame === 0) frame = requestAnimationFrame(flush);
        },
        onComplete: () => setStatus("ended"),
        onError: (cause) => {
          setStatus("failed");
          setError(cause.message);
        },
        onConnectionStateChange: ({ state }) => {
          if (state === "connecting") setStatus("connecting");
        },
      },
    );
    return () => {
      cancelAnimationFrame(frame);
      subscription.unsubscribe();
    };
  }, [client, host, id, startedAt, attempt]);

  const clear = useCallback(() => setLines([]), []);
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  return { lines, status, error, clear, retry };
}
