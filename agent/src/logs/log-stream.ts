import type { Writable } from "node:stream";
import { writeTo } from "../api/write-to.ts";
import { FileChanges } from "./file-changes.ts";
import { LogCursor } from "./log-cursor.ts";
import { LogTransformer, type LogFormat } from "./log-transformer.ts";

export type LogRequest = {
  logPath: string;
  format: LogFormat;
  /** The last lines to begin with; undefined for all. */
  tailLines: number | undefined;
  follow?: {
    /** Whether the container may still write: false ends the stream when all is read. */
    isLive(): boolean;
    /** Calls back whenever `isLive` may have changed. */
    onChange(listener: () => void): () => void;
  };
};

/** Writes a container's log to `sink` until its end, until `until`, or until the reader is gone. */
export async function streamLog(request: LogRequest, output: { sink: Writable; signal: AbortSignal }): Promise<void> {
  const transformer = new LogTransformer(request.format);
  const { follow } = request;
  // Watching begins before reading: what is written in between rings.
  const changes = follow === undefined ? undefined : watchLog(request.logPath);
  const ring = (): void => changes?.ring();
  const unsubscribe = follow?.onChange(ring);
  output.signal.addEventListener("abort", ring);
  const cursor = await LogCursor.open(request.logPath, request.tailLines);
  try {
    for (;;) {
      // Asked before the read: what was written before the container ended is there by then.
      const isLive = follow?.isLive() ?? false;
      const isReading = await sendAvailable(cursor, transformer, output.sink);
      const isDone = !isReading || transformer.isPastUntil || output.signal.aborted;
      if (isDone || !isLive || changes === undefined) return;
      await changes.wait();
    }
  } finally {
    output.signal.removeEventListener("abort", ring);
    unsubscribe?.();
    changes?.close();
    await cursor.close();
  }
}

/** A container without a directory yet (never started) has nothing to watch. */
function watchLog(logPath: string): FileChanges | undefined {
  try {
    return new FileChanges(logPath);
  } catch {
    return undefined;
  }
}

/** @returns false when the reader is gone. */
async function sendAvailable(cursor: LogCursor, transformer: LogTransformer, sink: Writable): Promise<boolean> {
  for (;;) {
    const records = await cursor.read();
    if (records === undefined) return true;
    const text = transformer.transform(records);
    if (text.length > 0 && !(await writeTo(sink, text))) return false;
    if (transformer.isPastUntil) return true;
  }
}
