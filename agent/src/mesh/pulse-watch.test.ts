import type { PeerState } from "@flotilla/protocol";
import { expect, test } from "vitest";
import { TICK_MS } from "./peer-watch.ts";
import { PulseWatch } from "./pulse-watch.ts";

type Scene = { rttMs?: number; peers?: number; isLost?: (nowMs: number) => boolean; state?: (nowMs: number) => PeerState };

/** Ticks until `untilMs`. @returns when peer 2 began and ceased to be a suspect. */
function watchUntil(untilMs: number, { rttMs = 1, peers = 1, isLost = () => false, state = () => "up" }: Scene = {}): string[] {
  let nonce = 0;
  const watch = new PulseWatch(() => String((nonce += 1)));
  const seen: string[] = [];
  let answers: { peer: number; nonce: string; atMs: number }[] = [];
  let was = false;
  for (let nowMs = 0; nowMs <= untilMs; nowMs += TICK_MS) {
    const known = Array.from({ length: peers }, (_, index) => ({ number: index + 2, state: state(nowMs), rttP50Micros: rttMs * 1_000 }));
    for (const order of watch.due(known, nowMs)) if (!isLost(nowMs)) answers.push({ ...order, atMs: nowMs + rttMs });
    for (const each of answers.filter(({ atMs }) => atMs < nowMs + TICK_MS)) watch.answered(each.peer, each.nonce, each.atMs);
    answers = answers.filter(({ atMs }) => atMs >= nowMs + TICK_MS);
    const is = watch.suspects().includes(2);
    if (is !== was) seen.push(`${nowMs} ${is ? "suspect" : "trusted"}`);
    was = is;
  }
  return seen;
}
const from =
  (fromMs: number, forMs = Number.POSITIVE_INFINITY) =>
  (nowMs: number) =>
    nowMs >= fromMs && nowMs < fromMs + forMs;

test("who answers is trusted, near and far", () => {
  expect(watchUntil(60_000)).toEqual([]);
  expect(watchUntil(60_000, { rttMs: 400 })).toEqual([]);
});

test("who falls silent is suspected within three quarters of a second, while it does not count as down", () => {
  expect(watchUntil(20_000, { isLost: from(10_000) })).toEqual(["10500 suspect"]);
  const state = (nowMs: number): PeerState => (nowMs >= 13_000 ? "down" : "up");
  expect(watchUntil(20_000, { isLost: from(10_000), state })).toEqual(["10500 suspect", "13000 trusted"]);
});

test("one lost packet is no reason, nor every second one", () => {
  expect(watchUntil(60_000, { isLost: (nowMs) => nowMs % 500 === 0 })).toEqual([]);
});

test("who was suspected wrongly is not again for a minute", () => {
  const isLost = (nowMs: number): boolean => nowMs % 10_000 >= 9_000 && nowMs > 10_000;
  const seen = watchUntil(100_000, { isLost });
  expect(seen.slice(0, 2)).toEqual(["19500 suspect", "20000 trusted"]);
  expect(seen.map((each) => Number.parseInt(each)).filter((atMs) => atMs > 20_000 && atMs < 80_000)).toEqual([]);
  expect(seen.length).toBe(4);
});

test("of many peers none is asked", () => expect(watchUntil(20_000, { peers: 9, isLost: from(10_000) })).toEqual([]));

test("a pause of this process makes nobody a suspect, and answers count once", () => {
  let nonce = 0;
  const watch = new PulseWatch(() => String((nonce += 1)));
  const peer = { number: 2, state: "up" as const, rttP50Micros: 1_000 };
  for (let nowMs = 0; nowMs < 20_000; nowMs += 450) watch.due([peer], nowMs);
  expect(watch.suspects()).toEqual([]);
  const [order] = watch.due([peer], 20_000);
  const answer = order?.nonce ?? "";
  expect([watch.answered(3, answer, 20_001), watch.answered(2, answer, 20_001), watch.answered(2, answer, 20_002)]).toEqual([false, true, false]); // prettier-ignore
});
