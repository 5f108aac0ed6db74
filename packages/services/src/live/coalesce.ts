import type { LiveEvent } from "./live-feed.ts";

/** At most four batches a second. */
const BATCH_INTERVAL_MS = 250;
/** Beyond this many kinds of change in a batch a page asks for everything anyway. */
const MAX_EVENTS = 200;

/** Live events as batches without repetitions, until `signal` aborts. */
export async function* coalesce(
  subscribe: (listener: (event: LiveEvent) => void) => () => void,
  signal: AbortSignal,
): AsyncGenerator<{ events: LiveEvent[] }> {
  const pending = new Map<string, LiveEvent>();
  let wake = (): void => undefined;
  const unsubscribe = subscribe((event) => {
    if (pending.size < MAX_EVENTS) pending.set(`${event.kind} ${event.host ?? ""} ${event.id ?? ""} ${event.action}`, event);
    wake();
  });
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort);
  try {
    while (!signal.aborted) {
      if (pending.size === 0) await new Promise<void>((resolve) => (wake = resolve));
      if (signal.aborted) return;
      const events = [...pending.values()];
      // Emptied before the batch is handed out: what comes while it is being sent belongs to the next one.
      pending.clear();
      yield { events };
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, BATCH_INTERVAL_MS);
        wake = () => {
          if (!signal.aborted) return;
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    unsubscribe();
    signal.removeEventListener("abort", onAbort);
  }
}
