import { describe, expect, test } from "vitest";
import { PathMtuSearch } from "./path-mtu.ts";

/** Tries until the search rests. @returns packets sent. */
function settle(search: PathMtuSearch, path: { carriesBytes: number; linkBytes?: number }, nowMs = 0): number {
  for (let sent = 0; ; sent += 1) {
    const size = search.due(nowMs);
    if (size === undefined) return sent;
    if (sent > 200) throw new Error("the search does not end");
    if (size <= path.carriesBytes) search.passed(size, nowMs);
    else search.failed(size, { nowMs, isFinal: size > (path.linkBytes ?? Number.POSITIVE_INFINITY) });
  }
}

test("a path as wide as the link takes one packet", () => {
  const search = new PathMtuSearch(1500);
  expect(search.foundBytes).toBeUndefined();
  expect(settle(search, { carriesBytes: 1500 })).toBe(1);
  expect(search.foundBytes).toBe(1500);
});

test.each([
  [1500, 1499],
  [1500, 1400],
  [1500, 1280],
  [1500, 69],
  [9000, 1500],
  [9000, 8999],
  [65535, 1400],
])("of a link of %i bytes and a hop of %i the hop is found, to the byte", (linkBytes, carriesBytes) => {
  const search = new PathMtuSearch(linkBytes);
  expect(settle(search, { carriesBytes })).toBeLessThan(60);
  expect(search.foundBytes).toBe(carriesBytes);
});

test("what the own link refuses is not asked three times", () => {
  const search = new PathMtuSearch(9000);
  const patient = settle(new PathMtuSearch(9000), { carriesBytes: 1500 });
  expect(settle(search, { carriesBytes: 1500, linkBytes: 1500 })).toBeLessThan(patient);
});

test("a lost packet is tried again", () => {
  const search = new PathMtuSearch(1500);
  search.failed(1500, { nowMs: 0, isFinal: false });
  search.failed(1500, { nowMs: 0, isFinal: false });
  expect(search.due(0)).toBe(1500);
  search.passed(1500, 0);
  expect(search.foundBytes).toBe(1500);
});

describe("afterwards", () => {
  test("what was found is confirmed each minute", () => {
    const search = new PathMtuSearch(1500);
    settle(search, { carriesBytes: 1400 });
    expect(search.due(59_999)).toBeUndefined();
    expect(search.due(60_000)).toBe(1400);
    expect(settle(search, { carriesBytes: 1400 }, 60_000)).toBe(1);
    expect(search.foundBytes).toBe(1400);
  });

  test("a path that became narrower is found anew, and one that became wider", () => {
    const search = new PathMtuSearch(1500);
    settle(search, { carriesBytes: 1500 });
    settle(search, { carriesBytes: 1300 }, 60_000);
    expect(search.foundBytes).toBe(1300);
    for (let minute = 2; minute < 9; minute += 1) settle(search, { carriesBytes: 1450 }, minute * 60_000);
    expect(search.foundBytes).toBe(1450);
  });

  test("a peer that was away is asked at once", () => {
    const search = new PathMtuSearch(1500);
    settle(search, { carriesBytes: 1400 });
    search.interrupt();
    expect(search.due(1)).toBe(1400);
    expect(settle(search, { carriesBytes: 1400 }, 1)).toBe(1);
  });
});

test("an interruption in the middle of the search only repeats a step", () => {
  const search = new PathMtuSearch(1500);
  search.failed(1500, { nowMs: 0, isFinal: false });
  search.interrupt();
  settle(search, { carriesBytes: 1420 });
  expect(search.foundBytes).toBe(1420);
});

test("answers that come late do no harm", () => {
  const search = new PathMtuSearch(1500);
  for (let times = 0; times < 3; times += 1) search.failed(1500, { nowMs: 0, isFinal: false });
  search.passed(1500, 0);
  settle(search, { carriesBytes: 1500 });
  expect(search.foundBytes).toBe(1500);
  search.failed(700, { nowMs: 0, isFinal: false });
  expect(search.foundBytes).toBe(1500);
});
