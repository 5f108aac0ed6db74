import { expect, test } from "vitest";
import { EnvelopeWatch } from "./envelope-watch.ts";
import { TICK_MS } from "./peer-watch.ts";

/** Ticks until `untilMs`; questions are answered while `isOpen` says so. @returns the state at each change, with its second. */
function watchUntil(untilMs: number, isOpen: (nowMs: number) => boolean, reached: (nowMs: number) => number[] = () => [2]): string[] {
  let nonce = 0;
  const watch = new EnvelopeWatch(() => String((nonce += 1)));
  const seen: string[] = [];
  let last: string | undefined;
  for (let nowMs = 0; nowMs <= untilMs; nowMs += TICK_MS) {
    for (const order of watch.due(reached(nowMs), nowMs)) if (isOpen(nowMs)) watch.answered(order.peer, order.nonce);
    const state = watch.state(2) ?? "not asked";
    if (state !== last) seen.push(`${Math.round(nowMs / 1_000)} ${state}`);
    last = state;
  }
  return seen;
}

test("a port that answers is up with its first answer", () => expect(watchUntil(60_000, () => true)).toEqual(["0 up"]));

test("one that was shut from the beginning is down after five questions, and one that opens is up with the next", () => {
  const [unknown, down = "", up = ""] = watchUntil(30_000, (nowMs) => nowMs >= 20_000);
  expect(unknown).toBe("0 unknown");
  expect(down).toMatch(/ down$/);
  expect(Number.parseInt(down)).toBeLessThan(9);
  expect(up).toMatch(/^2[01] up$/);
});

test("two of three lost are not a shut port", () => {
  let count = 0;
  expect(watchUntil(120_000, () => (count += 1) % 3 === 0).at(-1)).toMatch(/ up$/);
});

test("of a peer that is not reached otherwise nothing is said, and nothing is kept", () => {
  const reached = (nowMs: number): number[] => (nowMs >= 10_000 && nowMs < 20_000 ? [] : [2]);
  expect(watchUntil(30_000, () => true, reached)).toEqual(["0 up", "10 not asked", "20 up"]);
});

test("a pause of this process is nobody's silence, and an answer to nothing is none", () => {
  const watch = new EnvelopeWatch(() => "a");
  for (let round = 0; round < 20; round += 1) watch.due([2], round * 60_000);
  expect(watch.state(2)).toBe("unknown");
  expect([watch.answered(2, "b"), watch.answered(3, "a"), watch.answered(2, "a"), watch.answered(2, "a")]).toEqual([
    false,
    false,
    true,
    false,
  ]);
});
