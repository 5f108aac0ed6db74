import { expect, test } from "vitest";
import { addSample, EMPTY_WINDOW, type StatsSample } from "./stats-window.ts";

const sample = (second: number, netRxBytes: number): StatsSample => ({
  time: new Date(second * 1000).toISOString(),
  cpuPercent: 1,
  memoryBytes: 2,
  memoryLimitBytes: 3,
  netRxBytes,
  netTxBytes: 0,
  blockReadBytes: 0,
  blockWriteBytes: 0,
  pids: 1,
});

test("counters become rates over the time that really passed", () => {
  const window = [sample(0, 0), sample(2, 1000), sample(3, 1500)].reduce((w, s) => addSample(w, s, 10), EMPTY_WINDOW);
  expect(window.points.map((point) => point.rxPerSecond)).toEqual([null, 500, 500]);
});

test("a restart, where counters fall, draws no spike", () => {
  const window = [sample(0, 5000), sample(1, 100), sample(2, 300)].reduce((w, s) => addSample(w, s, 10), EMPTY_WINDOW);
  expect(window.points.map((point) => point.rxPerSecond)).toEqual([null, null, 200]);
});

test("the window keeps the newest points", () => {
  const window = [0, 1, 2, 3].map((second) => sample(second, 0)).reduce((w, s) => addSample(w, s, 2), EMPTY_WINDOW);
  expect(window.points.map((point) => point.at)).toEqual([2, 3]);
});
