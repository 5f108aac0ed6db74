import { expect, test } from "vitest";
import { parseTimeFilter } from "./time-filter.ts";

const NOW = Date.parse("2026-01-02T03:04:05Z");

test.each([
  ["10m", NOW - 600_000],
  ["1h30m", NOW - 5_400_000],
  ["1.5s", NOW - 1500],
  ["1700000000", 1_700_000_000_000],
  ["2025-12-31", Date.parse("2025-12-31T00:00:00Z")],
  ["2025-12-31T10:00", Date.parse("2025-12-31T10:00:00Z")],
  ["2025-12-31T10:00:00+02:00", Date.parse("2025-12-31T08:00:00Z")],
])("%s", (text, expected) => {
  expect(parseTimeFilter(text, NOW)).toBe(expected);
});

test.each(["", "soon", "-5m", "2025-13-40", "10m!"])("%j is refused", (text) => {
  expect(() => parseTimeFilter(text, NOW)).toThrow("invalid filter 'until=");
});
