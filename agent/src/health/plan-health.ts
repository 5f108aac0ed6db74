import type { HealthcheckConfig } from "@flotilla/engine-api";
import type { HealthLogEntry, HealthView } from "../engine/containers-port.ts";

/** A health check with Docker's defaults filled in. */
export type HealthPlan = {
  argv: [string, ...string[]];
  intervalMs: number;
  timeoutMs: number;
  startPeriodMs: number;
  startIntervalMs: number;
  retries: number;
};

export type ProbeResult = { startedAtMs: number; endedAtMs: number; exitCode: number; output: string };

const NS_PER_MS = 1e6;
const DEFAULT_SHELL: readonly string[] = ["/bin/sh", "-c"];
const DEFAULTS = { intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, startIntervalMs: 5_000, retries: 3 } as const;
const MAX_LOG_ENTRIES = 5;
const MAX_OUTPUT_BYTES = 4096;

/** Reads the check of a container; undefined when it has none, or NONE, or one that no engine knows. */
export function planHealth(check: HealthcheckConfig | undefined, shell: readonly string[] | undefined): HealthPlan | undefined {
  const [kind, ...rest] = check?.Test ?? [];
  if (check === undefined || kind === undefined || kind === "NONE" || rest[0] === undefined) return undefined;
  const words = kind === "CMD" ? rest : kind === "CMD-SHELL" ? [...(shell ?? DEFAULT_SHELL), rest[0]] : [];
  const [program, ...args] = words;
  if (program === undefined) return undefined;
  const ms = (value: number | undefined, fallback: number): number =>
    value === undefined || value === 0 ? fallback : Math.max(1, Math.round(value / NS_PER_MS));
  return {
    argv: [program, ...args],
    intervalMs: ms(check.Interval, DEFAULTS.intervalMs),
    timeoutMs: ms(check.Timeout, DEFAULTS.timeoutMs),
    startPeriodMs: ms(check.StartPeriod, DEFAULTS.startPeriodMs),
    startIntervalMs: ms(check.StartInterval, DEFAULTS.startIntervalMs),
    retries: check.Retries === undefined || check.Retries <= 0 ? DEFAULTS.retries : check.Retries,
  };
}

/** How long to wait for the next probe: the start interval while the container is starting inside its start period. */
export function nextProbeDelayMs(plan: HealthPlan, health: HealthView, runningMs: number): number {
  return health.Status === "starting" && runningMs < plan.startPeriodMs ? plan.startIntervalMs : plan.intervalMs;
}

/**
 * The health after a probe. A failure inside the start period of a container that was never healthy does not count;
 * `retries` failures in a row make it unhealthy, one success makes it healthy.
 */
export function applyProbe(plan: HealthPlan, health: HealthView, probe: { result: ProbeResult; runningMs: number }): HealthView {
  const log = [...health.Log, toLogEntry(probe.result)].slice(-MAX_LOG_ENTRIES);
  if (probe.result.exitCode === 0) return { Status: "healthy", FailingStreak: 0, Log: log };
  const isForgiven = health.Status === "starting" && probe.runningMs < plan.startPeriodMs;
  const streak = health.FailingStreak + (isForgiven ? 0 : 1);
  return { Status: streak >= plan.retries ? "unhealthy" : health.Status, FailingStreak: streak, Log: log };
}

function toLogEntry(result: ProbeResult): HealthLogEntry {
  const bytes = Buffer.from(result.output);
  return {
    Start: new Date(result.startedAtMs).toISOString(),
    End: new Date(result.endedAtMs).toISOString(),
    ExitCode: result.exitCode,
    Output: bytes.length <= MAX_OUTPUT_BYTES ? result.output : `${bytes.subarray(0, MAX_OUTPUT_BYTES).toString("utf8")}...`,
  };
}
