import { silentLogger } from "@flotilla/core";
import type { ServiceContext } from "@flotilla/services";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StackUpkeep } from "./stack-upkeep.ts";

type Round = PromiseWithResolvers<{ wakeAtMs: number | null }>;

let upkeep: StackUpkeep;
let rounds: Round[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  rounds = [];
  const services = { nowMs: () => Date.now(), logger: silentLogger } as unknown as ServiceContext;
  upkeep = new StackUpkeep(services, () => {
    const round: Round = Promise.withResolvers();
    rounds.push(round);
    return round.promise;
  });
});

afterEach(async () => {
  for (const round of rounds) round.resolve({ wakeAtMs: null });
  await upkeep.close();
  vi.useRealTimers();
});

/** Whether it has come true once everything that can happen now has happened. */
async function isOver(promise: Promise<void>): Promise<boolean> {
  let isDone = false;
  void promise.then(() => (isDone = true));
  await vi.advanceTimersByTimeAsync(0);
  return isDone;
}

const end = (at: number, wakeAtMs: number | null = null): void => rounds[at]?.resolve({ wakeAtMs });

test("nobody waits for a team without a round", async () => {
  expect(await isOver(upkeep.settled("none"))).toBe(true);
  upkeep.wake("a");
  expect(await isOver(upkeep.settled("b"))).toBe(true);
});

test("a round that was just asked for, or is under way, is waited for to its end", async () => {
  upkeep.wake("a");
  const asked = upkeep.settled("a");
  expect(await isOver(asked)).toBe(false);
  expect(rounds).toHaveLength(1);
  const running = upkeep.settled("a");
  expect(await isOver(running)).toBe(false);
  end(0);
  expect(await isOver(asked)).toBe(true);
  expect(await isOver(running)).toBe(true);
  expect(await isOver(upkeep.settled("a"))).toBe(true);
});

test("one that fails is over too", async () => {
  upkeep.wake("a");
  const waiting = upkeep.settled("a");
  await vi.advanceTimersByTimeAsync(0);
  rounds[0]?.reject(new Error("the database is away"));
  expect(await isOver(waiting)).toBe(true);
});

test("the wait has an end of its own", async () => {
  upkeep.wake("a");
  const waiting = upkeep.settled("a");
  await vi.advanceTimersByTimeAsync(249);
  expect(await isOver(waiting)).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(await isOver(waiting)).toBe(true);
});

test("a round that comes later is not waited for", async () => {
  upkeep.wake("a");
  await vi.advanceTimersByTimeAsync(0);
  // Rounds begin at most each 100 ms.
  upkeep.wake("a");
  end(0);
  await vi.advanceTimersByTimeAsync(0);
  expect(await isOver(upkeep.settled("a"))).toBe(true);
  await vi.advanceTimersByTimeAsync(100);
  expect(rounds).toHaveLength(2);
  end(1, Date.now() + 60_000);
  expect(await isOver(upkeep.settled("a"))).toBe(true);
});
