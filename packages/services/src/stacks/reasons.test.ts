import { reason } from "@flotilla/planner";
import { expect, test } from "vitest";
import { formatReasons, readReasons, readSaid } from "./reasons.ts";

const nested = { ...reason("hosts", { total: 1 }), parts: [reason("is_down", { count: 1 })] };

test("reasons are read as they were written, and nothing of another form", () => {
  expect(readReasons(structuredClone([nested]))).toEqual([nested]);
  for (const other of [null, "text", [{ code: "of a later version", values: {} }], [{ code: "run", values: { settled: [] } }]])
    expect(readReasons(other)).toBeNull();
});

test("what a step says is read likewise", () => {
  expect(readSaid({ event: "made", slot: "1", reasons: [nested] })).toEqual({ event: "made", slot: "1", reasons: [nested] });
  expect(readSaid({ event: "goes_back", revision: 3, reasons: [] })).toEqual({ event: "goes_back", revision: 3, reasons: [] });
  expect(readSaid({ event: "dances", reasons: [] })).toBeNull();
});

test("several reasons are one sentence in English", () =>
  expect(formatReasons([reason("none_there"), nested])).toBe("there is none; 1 host: 1 is down"));
