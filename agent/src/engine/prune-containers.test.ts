import { expect, test } from "vitest";
import { parseUntil } from "./prune-containers.ts";

const NOW = Date.parse("2026-01-02T00:00:00Z");

test.each([
  [undefined, Number.POSITIVE_INFINITY],
  [["24h"], NOW - 86_400_000],
  [["1h30m"], NOW - 5_400_000],
  [["10ms"], NOW - 10],
  [["1700000000"], 1_700_000_000_000],
  [["1700000000.5"], 1_700_000_000_500],
  [["2026-01-01"], Date.parse("2026-01-01")],
  [["2026-01-01T10:00:00Z"], Date.parse("2026-01-01T10:00:00Z")],
])("until %j", (values, expected) => {
  expect(parseUntil(values, NOW)).toBe(expected);
});

test.each([["yesterday"], ["1x"], [""], ["10", "1"]].map((values) => ({ values })))("until $values is refused", ({ values }) => {
  expect(() => parseUntil(values, NOW)).toThrow(/until filter|time or duration/);
});
