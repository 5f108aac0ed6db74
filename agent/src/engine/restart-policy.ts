import type { RestartPolicy } from "@flotilla/engine-api";

export type ExitFacts = {
  policy: RestartPolicy;
  exitCode: number;
  isManuallyStopped: boolean;
  /** Restarts by policy since a person last started it. */
  restartCount: number;
  ranMs: number;
  /** Delay before the run that has just ended; 0 for the first. */
  previousDelayMs: number;
};

export type RestartDecision = { kind: "stay" } | { kind: "restart"; delayMs: number };

const MIN_DELAY_MS = 100;
const MAX_DELAY_MS = 60_000;
const LONG_RUN_MS = 10_000;

/** Docker's restart manager: 100 ms, doubling up to a minute, from the beginning again after a run of ten seconds. */
export function planRestart(facts: ExitFacts): RestartDecision {
  if (facts.isManuallyStopped || !isWanted(facts)) return { kind: "stay" };
  const isFresh = facts.ranMs >= LONG_RUN_MS || facts.previousDelayMs === 0;
  return { kind: "restart", delayMs: isFresh ? MIN_DELAY_MS : Math.min(MAX_DELAY_MS, facts.previousDelayMs * 2) };
}

function isWanted({ policy, exitCode, restartCount }: ExitFacts): boolean {
  if (policy.Name === "always" || policy.Name === "unless-stopped") return true;
  if (policy.Name !== "on-failure" || exitCode === 0) return false;
  return policy.MaximumRetryCount === 0 || restartCount < policy.MaximumRetryCount;
}

/**
 * Whether a container that does not run is started when the agent starts. `always` even when a person stopped it
 * (Docker's rule, and the difference to `unless-stopped`); one that was never started stays as it is.
 */
export function startsWithAgent(facts: { policy: RestartPolicy; isManuallyStopped: boolean; hasRun: boolean }): boolean {
  if (!facts.hasRun) return false;
  return facts.policy.Name === "always" || (facts.policy.Name === "unless-stopped" && !facts.isManuallyStopped);
}
