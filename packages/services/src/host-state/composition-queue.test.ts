import { setImmediate } from "node:timers/promises";
import { FlotillaError } from "@flotilla/core";
import type { ComposedState } from "@flotilla/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Compositions, CompositionWish } from "./compose-host-state.ts";
import { CompositionQueue } from "./composition-queue.ts";

// The queue against a composition that ends when the test says so.
type Batch = { hosts: string[]; end: (made?: Compositions) => void; fail: (error: Error) => void };
let batches: Batch[];
let queue: CompositionQueue;
const state = (hash: string): ComposedState => ({ generation: 1, hash, resources: [] });
const compose = (wishes: readonly CompositionWish[]): Promise<Compositions> =>
  new Promise((resolve, reject) => {
    const hosts = wishes.map(({ hostId }) => hostId);
    const all = (): Compositions => new Map(hosts.map((hostId) => [hostId, state(hostId)]));
    batches.push({ hosts, end: (made = all()) => resolve(made), fail: reject });
  });
const hostsOf = (): string[][] => batches.map(({ hosts }) => hosts);
const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, at) => String(from + at));

beforeEach(() => {
  batches = [];
  queue = new CompositionQueue(compose);
});
afterEach(() => void vi.useRealTimers());

test("what is asked for at the same time is composed together, what comes meanwhile with the next batch", async () => {
  const [a, b] = [queue.compose("a"), queue.compose("b")];
  await setImmediate();
  const [again, c] = [queue.compose("a"), queue.compose("c")];
  await setImmediate();
  expect(hostsOf()).toEqual([["a", "b"]]);
  batches[0]?.end();
  expect(await Promise.all([a, b])).toMatchObject([{ hash: "a" }, { hash: "b" }]);
  await setImmediate();
  expect(hostsOf()).toEqual([
    ["a", "b"],
    ["a", "c"],
  ]);
  batches[1]?.end();
  expect(await Promise.all([again, c])).toMatchObject([{ hash: "a" }, { hash: "c" }]);
});

test("a batch is bounded; one that takes long keeps nobody waiting, but for as many as run", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const all = numbers(0, 70).map((hostId) => queue.compose(hostId));
  await setImmediate();
  expect(hostsOf()).toEqual([numbers(0, 16)]);
  for (let time = 0; time < 5; time += 1) {
    vi.advanceTimersByTime(250);
    await setImmediate();
  }
  expect(hostsOf()).toEqual([numbers(0, 16), numbers(16, 32), numbers(32, 48), numbers(48, 64)]);
  batches[2]?.end();
  await setImmediate();
  await setImmediate();
  expect(hostsOf().at(-1)).toEqual(numbers(64, 70));
  for (const { end } of batches) end();
  expect(await Promise.all(all)).toHaveLength(70);
});

test("one that cannot be composed fails alone", async () => {
  const asked = ["a", "b", "c"].map((hostId) => queue.compose(hostId));
  const ended = Promise.allSettled(asked);
  await setImmediate();
  batches[0]?.fail(new Error("broken"));
  await setImmediate();
  expect(hostsOf().slice(1)).toEqual([["a"], ["b"], ["c"]]);
  batches[1]?.fail(new Error("broken"));
  batches[2]?.end(new Map([["b", new FlotillaError("exhausted", "too large")]]));
  batches[3]?.end();
  expect(await ended).toMatchObject([
    { status: "rejected", reason: { message: "broken" } },
    { status: "rejected", reason: { message: "too large" } },
    { status: "fulfilled", value: { hash: "c" } },
  ]);
});

test("while the database is away nobody is asked for one by one", async () => {
  const ended = Promise.allSettled([queue.compose("a"), queue.compose("b")]);
  await setImmediate();
  batches[0]?.fail(new Error("Connection terminated unexpectedly"));
  expect((await ended).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(batches).toHaveLength(1);
});
