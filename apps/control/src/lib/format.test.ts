import { describe, expect, test } from "vitest";
import { formatAgo, formatBytes, formatDuration, formatExact, formatPercent, parseSize, parseTime, shortId, sizeToText } from "./format.ts";

describe("formatBytes", () => {
  test.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [1024 * 1024 - 1, "1 MiB"],
    [188 * 1024 * 1024, "188 MiB"],
    [12.34 * 1024 ** 3, "12.3 GiB"],
    [-1, "–"],
  ])("%d is %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

test("percentages keep one digit below a hundred", () => {
  expect([0, 0.04, 12.34, 100, 234.5].map(formatPercent)).toEqual(["0%", "0%", "12.3%", "100%", "235%"]);
});

describe("formatDuration", () => {
  test.each([
    [0, "0s"],
    [59_999, "59s"],
    [60_000, "1m"],
    [312_000, "5m 12s"],
    [90_061_000, "1d 1h"],
    [86_400_000, "1d"],
    [-5, "0s"],
  ])("%d ms is %s", (ms, text) => expect(formatDuration(ms)).toBe(text));
});

test("times are told in the page's language", () => {
  expect(formatAgo(0, 2_000, "en")).toBe("now");
  expect(formatAgo(0, 300_000, "en")).toBe("5 minutes ago");
  expect(formatAgo(0, 300_000, "zh")).toBe("5分钟前");
});

test("Docker's zero time is no time", () => {
  expect(parseTime("0001-01-01T00:00:00Z")).toBeNull();
  expect(parseTime("1970-01-01T00:00:01.5Z")).toBe(1500);
  expect(parseTime("soon")).toBeNull();
});

test("ids are cut as Docker cuts them", () => expect(shortId("sha256:0123456789abcdef")).toBe("0123456789ab"));

describe("sizes", () => {
  test.each([
    ["512m", 536_870_912],
    ["1.5G", 1_610_612_736],
    ["64 MiB", 67_108_864],
    ["1048576", 1_048_576],
    ["10kb", 10_240],
  ])("%s is %d bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each(["", "m", "1x", "-1g", "1.g.2"])("%j is no size", (text) => expect(parseSize(text)).toBeNull());

  test("are written back in the shortest exact form", () => {
    expect([536_870_912, 1000, 1024, 0].map(sizeToText)).toEqual(["512m", "1000", "1k", "0"]);
  });
});

test("an exact time has date and seconds, in the page's language", () => {
  const time = new Date(2026, 10, 20, 17, 4, 9).getTime();
  expect(formatExact(time, "en")).toMatch(/Nov 20, 2026.*5:04:09/);
  expect(formatExact(time, "zh")).toMatch(/2026年11月20日.*17:04:09/);
});
