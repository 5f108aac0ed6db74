import { expect, test } from "vitest";
import { Waiters } from "./waiters.ts";

const result = { StatusCode: 3, Error: null };

test("only waiters whose condition came true are told", async () => {
  const waiters = new Waiters();
  const signal = new AbortController().signal;
  const told: string[] = [];
  const next = waiters.add("a", "next-exit", signal).then(() => told.push("next"));
  const removed = waiters.add("a", "removed", signal).then(() => told.push("removed"));
  waiters.settle("b", ["next-exit", "removed"], result);
  waiters.settle("a", ["next-exit", "not-running"], result);
  await next;
  expect(told).toEqual(["next"]);
  waiters.settle("a", ["removed"], result);
  await removed;
});

test("a client that leaves is forgotten", async () => {
  const waiters = new Waiters();
  const client = new AbortController();
  const waiting = waiters.add("a", "removed", client.signal);
  client.abort();
  await expect(waiting).rejects.toThrow();
  await expect(waiters.add("a", "removed", AbortSignal.abort())).rejects.toThrow();
  waiters.settle("a", ["removed"], result);
});
