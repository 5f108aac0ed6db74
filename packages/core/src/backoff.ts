export type BackoffOptions = { minMs: number; maxMs: number };

/** Upper bound of the delay before attempt `attempt` (0 = first retry): doubles from `minMs`, never above `maxMs`. */
export function backoffCeilingMs(attempt: number, options: BackoffOptions): number {
  return Math.min(options.maxMs, options.minMs * 2 ** Math.min(attempt, 52));
}

/**
 * "Full jitter": a uniform delay between 0 and the ceiling, so that hosts that lost the control plane together do not
 * return together. `random` gives a number in [0, 1).
 */
export function fullJitterMs(attempt: number, options: BackoffOptions, random: () => number): number {
  return Math.floor(random() * backoffCeilingMs(attempt, options));
}
