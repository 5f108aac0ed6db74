import { expect, test } from "vitest";
import { Pace } from "./pace.ts";

test("work goes on within a slice and rests after it", async () => {
  let nowMs = 100;
  const pace = new Pace(undefined, () => nowMs);
  expect(pace.rest()).toBeUndefined();
  nowMs = 103.9;
  expect(pace.rest()).toBeUndefined();
  nowMs = 104;
  const turns: string[] = [];
  setImmediate(() => turns.push("others"));
  await pace.rest();
  expect(turns).toEqual(["others"]);
  expect(pace.rest()).toBeUndefined();
});

test("a rest ends the work that nobody waits for any more", async () => {
  const controller = new AbortController();
  let nowMs = 0;
  const pace = new Pace(controller.signal, () => nowMs);
  controller.abort();
  expect(pace.rest()).toBeUndefined();
  nowMs = 10;
  await expect(pace.rest()).rejects.toThrow("aborted");
});
