import { expect, test } from "vitest";
import { coalesce } from "./coalesce.ts";
import type { LiveEvent } from "./live-feed.ts";

test("equal events come once, later ones in the next batch, and the end unsubscribes", async () => {
  let emit: (event: LiveEvent) => void = () => undefined;
  let isSubscribed = false;
  const stop = new AbortController();
  const batches = coalesce((listener) => {
    emit = listener;
    isSubscribed = true;
    return () => void (isSubscribed = false);
  }, stop.signal);
  const first = batches.next();
  const start: LiveEvent = { kind: "container", host: "h", id: "a", action: "start" };
  emit(start);
  emit({ ...start });
  expect((await first).value).toEqual({ events: [start] });
  emit({ ...start, id: "b" });
  expect((await batches.next()).value).toEqual({ events: [{ ...start, id: "b" }] });
  const last = batches.next();
  stop.abort();
  expect((await last).done).toBe(true);
  expect(isSubscribed).toBe(false);
});
