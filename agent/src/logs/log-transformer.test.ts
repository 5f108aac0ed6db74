import { StdcopyDecoder } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import { formatRecordTime } from "./log-record.ts";
import { LogTransformer, type LogFormat } from "./log-transformer.ts";

const FORMAT: LogFormat = {
  stdout: true,
  stderr: true,
  isRaw: false,
  joinsFrames: false,
  timestamps: false,
  details: "",
  since: undefined,
  until: undefined,
};

const record = (second: number, rest: string, zone = "+00:00"): string =>
  `2026-11-23T17:49:${String(second).padStart(2, "0")}.000000001${zone} ${rest}\n`;

function frames(format: Partial<LogFormat>, ...chunks: string[]): [number, string][] {
  const transformer = new LogTransformer({ ...FORMAT, ...format });
  const decoder = new StdcopyDecoder();
  const result = chunks.flatMap((chunk) => decoder.push(transformer.transform(Buffer.from(chunk))));
  expect(decoder.pendingBytes).toBe(0);
  return result.map(({ stream, payload }) => [stream, payload.toString()]);
}

describe("LogTransformer", () => {
  const both = record(1, "stdout F one") + record(2, "stderr F two") + record(3, "stdout F three");

  test("gives a frame for each line, in order", () => {
    expect(frames({}, both)).toEqual([
      [1, "one\n"],
      [2, "two\n"],
      [1, "three\n"],
    ]);
  });

  test("leaves out the stream that is not asked for", () => {
    expect(frames({ stderr: false }, both)).toEqual([
      [1, "one\n"],
      [1, "three\n"],
    ]);
  });

  test("joins neighbouring lines of one stream when told to", () => {
    const lines = record(1, "stdout F a") + record(1, "stdout F b") + record(1, "stderr F c");
    expect(frames({ joinsFrames: true }, lines)).toEqual([
      [1, "a\nb\n"],
      [2, "c\n"],
    ]);
  });

  test("never joins more than fits the buffer that clients begin with", () => {
    const text = "x".repeat(8000);
    const joined = frames({ joinsFrames: true }, record(1, `stdout F ${text}`).repeat(20));
    expect(joined.map(([, payload]) => payload).join("")).toBe(`${text}\n`.repeat(20));
    expect(Math.max(...joined.map(([, payload]) => payload.length))).toBeLessThanOrEqual(32 * 1024 - 8);
  });

  test("parts of a line are put together without a newline, and stamped once", () => {
    const parts = record(1, "stdout P be") + record(2, "stdout P gin") + record(3, "stdout F end");
    expect(frames({ timestamps: true }, parts, record(4, "stdout F next"))).toEqual([
      [1, "2026-11-23T17:49:01.000000001Z be"],
      [1, "gin"],
      [1, "end\n"],
      [1, "2026-11-23T17:49:04.000000001Z next\n"],
    ]);
  });

  test("a terminal's log is raw text", () => {
    const transformer = new LogTransformer({ ...FORMAT, isRaw: true });
    expect(transformer.transform(Buffer.from(record(1, "stdout F a\r") + record(2, "stdout P b"))).toString()).toBe("a\r\nb");
  });

  test("an empty line stays an empty line", () => {
    expect(frames({}, record(1, "stdout F "))).toEqual([[1, "\n"]]);
  });

  test("details stand between the time and the line", () => {
    expect(frames({ timestamps: true, details: "a=b " }, record(1, "stdout F x"))).toEqual([[1, "2026-11-23T17:49:01.000000001Z a=b x\n"]]);
  });

  test("since and until are inclusive, and nothing behind until is wanted", () => {
    const time = (second: number): Buffer => formatRecordTime(BigInt(Date.UTC(2026, 10, 23, 17, 49, second)) * 1_000_000n + 1n);
    const transformer = new LogTransformer({ ...FORMAT, isRaw: true, since: time(2), until: time(2) });
    expect(transformer.transform(Buffer.from(both)).toString()).toBe("two\n");
    expect(transformer.isPastUntil).toBe(true);
  });

  test("times of another zone are given in UTC", () => {
    const shanghai = record(1, "stdout F x", "+08:00");
    expect(frames({ timestamps: true }, shanghai)).toEqual([[1, "2026-11-23T09:49:01.000000001Z x\n"]]);
    const since = formatRecordTime(BigInt(Date.UTC(2026, 10, 23, 10)) * 1_000_000n);
    expect(frames({ since }, shanghai + record(2, "stdout F y", "+05:30"))).toEqual([[1, "y\n"]]);
  });

  test("a record torn by a crash is left out and the next ones are read", () => {
    expect(frames({}, `2026-11-23T17:4${record(1, "stdout F x")}\n\0\0\0\n${record(2, "stdout F whole")}`)).toEqual([[1, "whole\n"]]);
  });
});
