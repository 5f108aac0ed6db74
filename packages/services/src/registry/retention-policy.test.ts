import { describe, expect, test } from "vitest";
import { matchesTagPattern, planRetention, type RetentionPolicy, retentionPolicy } from "./retention-policy.ts";

const DAY = 86_400_000;
const NOW = 1_000 * DAY;
/** Tags `v1`, `v2`, …: the first is the oldest; each a day apart, the last a day old. */
const days = (count: number): { name: string; pushedAtMs: number }[] =>
  Array.from({ length: count }, (_, index) => ({ name: `v${index + 1}`, pushedAtMs: NOW - (count - index) * DAY }));
const policy = (...rules: RetentionPolicy["rules"]): RetentionPolicy => ({ rules, untaggedAfterDays: null });
const facts = { nowMs: NOW, immutableTags: null };

describe("matchesTagPattern", () => {
  test.each([
    ["*", "anything", true],
    ["v*", "v1.2", true],
    ["v*", "w1", false],
    ["*-rc?", "1.0-rc1", true],
    ["*-rc?", "1.0-rc12", false],
    ["latest", "latest", true],
    ["latest", "latest2", false],
    ["v1.0", "v1x0", false],
    ["*a*b*", "xxaxxbxx", true],
    ["", "", true],
    ["***", "", true],
  ])("%s against %s", (pattern, text, expected) => {
    expect(matchesTagPattern(pattern, text)).toBe(expected);
  });

  test("a hostile pattern is as fast as any", () => {
    expect(matchesTagPattern(`${"*a".repeat(60)}b`, "a".repeat(128))).toBe(false);
  });
});

describe("planRetention", () => {
  test("keeps the newest N, oldest first in the plan", () => {
    expect(planRetention(days(5), policy({ pattern: "*", keepLast: 2, olderThanDays: null }), facts)).toEqual(["v1", "v2", "v3"]);
  });

  test("removes only what is older, and with both conditions only what meets both", () => {
    expect(planRetention(days(5), policy({ pattern: "*", keepLast: null, olderThanDays: 4 }), facts)).toEqual(["v1", "v2"]);
    expect(planRetention(days(5), policy({ pattern: "*", keepLast: 4, olderThanDays: 2 }), facts)).toEqual(["v1"]);
  });

  test("counts among the tags that match, and never touches others or immutable ones", () => {
    const tags = [...days(4), { name: "latest", pushedAtMs: 0 }];
    expect(planRetention(tags, policy({ pattern: "v*", keepLast: 1, olderThanDays: null }), { nowMs: NOW, immutableTags: "v2" })).toEqual([
      "v1",
      "v3",
    ]);
  });

  test("no rules remove nothing, and a rule must say something", () => {
    expect(planRetention(days(3), policy(), facts)).toEqual([]);
    expect(retentionPolicy.safeParse(policy({ pattern: "*", keepLast: null, olderThanDays: null })).success).toBe(false);
  });

  test("tags of one time are chosen the same way each time", () => {
    const tags = ["a", "b", "c"].map((name) => ({ name, pushedAtMs: NOW }));
    const rule = policy({ pattern: "*", keepLast: 1, olderThanDays: null });
    expect(planRetention(tags, rule, facts)).toEqual(planRetention(tags.toReversed(), rule, facts));
  });
});
