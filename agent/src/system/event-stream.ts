import { once } from "node:events";
import type { Writable } from "node:stream";
import { FlotillaError } from "@flotilla/core";
import type { Filters } from "@flotilla/engine-api";
import { writeTo } from "../api/write-to.ts";
import type { EngineEvent, EventBus } from "../events/bus.ts";
import { matchesEvent } from "./event-filter.ts";
import { formatEventLine } from "./event-message.ts";

export type EventQuery = {
  namespace: string;
  filters: Filters;
  /** Nanoseconds since the epoch; events from then on are replayed first. */
  sinceNano: bigint | undefined;
  untilNano: bigint | undefined;
};

/** A reader that is this many events behind is cut off, so that it knows that it missed something. */
const MAX_PENDING = 8192;
const MAX_TIMER_MS = 0x7fff_ffff;
const NANOS_PER_MS = 1_000_000n;

/** Sends events as lines until `until` or until the reader is gone. Subscribes before it reads the history: none falls between. */
export async function streamEvents(bus: EventBus, query: EventQuery, output: { sink: Writable; signal: AbortSignal }): Promise<void> {
  const isWanted = (event: EngineEvent): boolean => event.namespace === query.namespace && matchesEvent(event, query.filters);
  const isInTime = (event: EngineEvent): boolean => query.untilNano === undefined || event.timeNano <= query.untilNano;
  const since = query.sinceNano;
  const replay = since === undefined ? [] : bus.history().filter((event) => event.timeNano >= since && isInTime(event) && isWanted(event));
  const pending: EngineEvent[] = [...replay];
  const wake = new EventTarget();
  const unsubscribe = bus.subscribe((event) => {
    if (!isWanted(event) || !isInTime(event)) return;
    pending.push(event);
    wake.dispatchEvent(new Event("wake"));
  });
  const end = new AbortController();
  const stop = (): void => end.abort();
  output.signal.addEventListener("abort", stop, { once: true });
  const timer = endAt(query.untilNano, stop);
  try {
    while (await sendPending(pending, output.sink)) {
      if (end.signal.aborted || output.signal.aborted) return;
      // What came while the last lines were sent rang no bell that anybody heard.
      if (pending.length === 0) await once(wake, "wake", { signal: end.signal }).catch(() => undefined);
    }
  } finally {
    clearTimeout(timer);
    unsubscribe();
    output.signal.removeEventListener("abort", stop);
  }
}

/** @returns false when the reader is gone. @throws FlotillaError `exhausted` when it is too far behind. */
async function sendPending(pending: EngineEvent[], sink: Writable): Promise<boolean> {
  while (pending.length > 0) {
    if (pending.length > MAX_PENDING) throw new FlotillaError("exhausted", "send events: the reader is too slow");
    const lines = pending.splice(0).map(formatEventLine).join("");
    if (!(await writeTo(sink, lines))) return false;
  }
  return true;
}

function endAt(untilNano: bigint | undefined, stop: () => void): NodeJS.Timeout | undefined {
  if (untilNano === undefined) return undefined;
  const leftMs = Number(untilNano / NANOS_PER_MS) - Date.now();
  if (leftMs <= 0) {
    stop();
    return undefined;
  }
  return leftMs > MAX_TIMER_MS ? undefined : setTimeout(stop, leftMs);
}
