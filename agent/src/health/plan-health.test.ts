import { describe, expect, test } from "vitest";
import type { HealthView } from "../engine/containers-port.ts";
import { applyProbe, nextProbeDelayMs, planHealth, type HealthPlan } from "./plan-health.ts";

const SECOND_NS = 1e9;
const starting: HealthView = { Status: "starting", FailingStreak: 0, Log: [] };
const plan: HealthPlan = { argv: ["true"], intervalMs: 1000, timeoutMs: 1000, startPeriodMs: 5000, startIntervalMs: 100, retries: 2 };
const probe = (exitCode: number, runningMs = 60_000, output = "") => ({
  result: { startedAtMs: 0, endedAtMs: 10, exitCode, output },
  runningMs,
});

describe("planHealth", () => {
  test("fills in Docker's defaults", () => {
    expect(planHealth({ Test: ["CMD", "curl", "-f", "x"] }, undefined)).toEqual({
      argv: ["curl", "-f", "x"],
      intervalMs: 30_000,
      timeoutMs: 30_000,
      startPeriodMs: 0,
      startIntervalMs: 5_000,
      retries: 3,
    });
  });

  test("a shell command runs by the image's shell, else by sh", () => {
    expect(planHealth({ Test: ["CMD-SHELL", "exit 0"] }, undefined)?.argv).toEqual(["/bin/sh", "-c", "exit 0"]);
    expect(planHealth({ Test: ["CMD-SHELL", "exit 0"] }, ["/bin/bash", "-ec"])?.argv).toEqual(["/bin/bash", "-ec", "exit 0"]);
  });

  test("durations are nanoseconds", () => {
    expect(planHealth({ Test: ["CMD", "x"], Interval: SECOND_NS / 2, Retries: 1 }, undefined)).toMatchObject({
      intervalMs: 500,
      retries: 1,
    });
  });

  test.each([[undefined], [{}], [{ Test: [] }], [{ Test: ["NONE"] }], [{ Test: ["CMD"] }], [{ Test: ["WHAT", "x"] }]])(
    "%j is no check",
    (check) => {
      expect(planHealth(check, undefined)).toBeUndefined();
    },
  );
});

describe("applyProbe", () => {
  test("one success makes healthy and ends the streak", () => {
    expect(applyProbe(plan, { Status: "unhealthy", FailingStreak: 7, Log: [] }, probe(0))).toMatchObject({
      Status: "healthy",
      FailingStreak: 0,
    });
  });

  test("failures make unhealthy when there are enough in a row", () => {
    const once = applyProbe(plan, { Status: "healthy", FailingStreak: 0, Log: [] }, probe(1));
    expect(once).toMatchObject({ Status: "healthy", FailingStreak: 1 });
    expect(applyProbe(plan, once, probe(1))).toMatchObject({ Status: "unhealthy", FailingStreak: 2 });
  });

  test("failures in the start period are forgiven until the first success", () => {
    expect(applyProbe(plan, starting, probe(1, 100))).toMatchObject({ Status: "starting", FailingStreak: 0 });
    expect(applyProbe(plan, starting, probe(1, 6000))).toMatchObject({ Status: "starting", FailingStreak: 1 });
    expect(applyProbe(plan, { ...starting, Status: "healthy" }, probe(1, 100))).toMatchObject({ FailingStreak: 1 });
  });

  test("the log keeps the last five results and 4096 bytes of each", () => {
    let health = starting;
    for (let index = 0; index < 7; index++) health = applyProbe(plan, health, probe(index, 60_000, "x".repeat(5000)));
    expect(health.Log.map((entry) => entry.ExitCode)).toEqual([2, 3, 4, 5, 6]);
    expect(health.Log[0]?.Output).toBe(`${"x".repeat(4096)}...`);
  });
});

test("probes come at the start interval until the start period is over", () => {
  expect(nextProbeDelayMs(plan, starting, 100)).toBe(100);
  expect(nextProbeDelayMs(plan, starting, 6000)).toBe(1000);
  expect(nextProbeDelayMs(plan, { ...starting, Status: "healthy" }, 100)).toBe(1000);
});
