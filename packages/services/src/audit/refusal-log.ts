const WINDOW_MS = 10_000;
const MAX_KEYS = 4_096;

/**
 * Keeps a flood of equal refusals from flooding the audit: the first of each kind in ten seconds is written. Bounded:
 * when too many kinds come at once the oldest are forgotten, which writes more rows, never fewer.
 */
export class RefusalLog {
  readonly #seen = new Map<string, number>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  /** Whether this refusal should be written. */
  admit(key: string): boolean {
    const now = this.#nowMs();
    const last = this.#seen.get(key);
    if (last !== undefined && now - last < WINDOW_MS) return false;
    this.#seen.delete(key);
    this.#seen.set(key, now);
    if (this.#seen.size > MAX_KEYS) {
      const oldest = this.#seen.keys().next().value;
      if (oldest !== undefined) this.#seen.delete(oldest);
    }
    return true;
  }
}
