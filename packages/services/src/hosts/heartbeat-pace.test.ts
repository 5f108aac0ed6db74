import { expect, test } from "vitest";
import { heartbeatIntervalMs, lastSeenStepMs } from "./heartbeat-pace.ts";

test.each([
  [0, 5_000, 15_000],
  [3, 5_000, 15_000],
  [250, 5_000, 15_000],
  [1_000, 20_000, 20_000],
  [10_000, 200_000, 200_000],
  [100_000, 300_000, 300_000],
])("%i hosts: heartbeats each %i ms, last seen each %i ms", (hosts, intervalMs, stepMs) => {
  expect([heartbeatIntervalMs(hosts), lastSeenStepMs(hosts)]).toEqual([intervalMs, stepMs]);
});
