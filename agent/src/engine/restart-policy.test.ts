import { expect, test } from "vitest";
import { type ExitFacts, planRestart, startsWithAgent } from "./restart-policy.ts";

const facts = (name: string, more: Partial<ExitFacts> = {}): ExitFacts => ({
  policy: { Name: name, MaximumRetryCount: 0 },
  exitCode: 1,
  isManuallyStopped: false,
  restartCount: 0,
  ranMs: 50,
  previousDelayMs: 0,
  ...more,
});

test.each([
  ["no", {}, "stay"],
  ["", {}, "stay"],
  ["always", { exitCode: 0 }, "restart"],
  ["always", { isManuallyStopped: true }, "stay"],
  ["unless-stopped", {}, "restart"],
  ["unless-stopped", { isManuallyStopped: true }, "stay"],
  ["on-failure", { exitCode: 0 }, "stay"],
  ["on-failure", { restartCount: 1000 }, "restart"],
  ["on-failure", { policy: { Name: "on-failure", MaximumRetryCount: 3 }, restartCount: 2 }, "restart"],
  ["on-failure", { policy: { Name: "on-failure", MaximumRetryCount: 3 }, restartCount: 3 }, "stay"],
])("policy %j with %j: %s", (name, more, expected) => {
  expect(planRestart(facts(name, more)).kind).toBe(expected);
});

test("the delay doubles from 100 ms to a minute and begins anew after ten seconds of running", () => {
  const delays: number[] = [];
  let previousDelayMs = 0;
  for (let attempt = 0; attempt < 12; attempt += 1) {
    const decision = planRestart(facts("always", { previousDelayMs }));
    previousDelayMs = decision.kind === "restart" ? decision.delayMs : -1;
    delays.push(previousDelayMs);
  }
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
  expect(planRestart(facts("always", { previousDelayMs: 60_000, ranMs: 10_000 }))).toEqual({ kind: "restart", delayMs: 100 });
});

test.each([
  ["always", true, true, true],
  ["unless-stopped", true, true, false],
  ["unless-stopped", false, true, true],
  ["always", false, false, false],
  ["on-failure", false, true, false],
  ["no", false, true, false],
])("%s, stopped by hand %s, has run %s: starts with the agent %s", (name, isManuallyStopped, ...[hasRun, expected]) => {
  expect(startsWithAgent({ policy: { Name: name, MaximumRetryCount: 0 }, isManuallyStopped, hasRun })).toBe(expected);
});
