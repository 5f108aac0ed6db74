"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import { appendLines, type LogInput, type LogLine } from "@/lib/log-buffer.ts";

export type LogLines = {
  lines: readonly LogLine[];
  status: "connecting" | "live" | "ended" | "failed";
  error: string | null;
  clear: () => void;
  retry: () => void;
};

/** How many lines are kept: enough to read back, little enough for a phone. */
const KEPT_LINES = 10_000;
/** While the reader has scrolled away nothing may move under their eyes, up to here. */
const KEPT_WHILE_PAUSED = 50_000;

export type LogHandlers = {
  onStarted: () => void;
  onData: (batch: { lines: readonly LogInput[] }) => void;
  onComplete: () => void;
  onError: (cause: { message: string }) => void;
  onConnectionStateChange: (state: { state: string }) => void;
};
/** Begins to follow a log; another function means another log. */
export type LogFeed = (handlers: LogHandlers) => { unsubscribe: () => void };

/** A log as it grows. Batches are put into the page once a frame, however fast they come. */
export function useLogLines({ feed, isPaused }: { feed: LogFeed; isPaused: boolean }): LogLines {
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
    const subscription = feed({
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
    });
    return () => {
      cancelAnimationFrame(frame);
      subscription.unsubscribe();
    };
  }, [feed, attempt]);

  const clear = useCallback(() => setLines([]), []);
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  return { lines, status, error, clear, retry };
}
