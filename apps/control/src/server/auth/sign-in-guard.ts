const WINDOW_MS = 15 * 60_000;
const MAX_FAILURES = 10;
const MAX_KEYS = 10_000;

type Entry = { failures: number; startedAtMs: number };

/**
 * Bounds guesses at one account, wherever they come from: after ten failures in a quarter of an hour the account is
 * closed to sign-in until the window ends. (Guesses from one address are bounded by better-auth.)
 */
export class SignInGuard {
  readonly #entries = new Map<string, Entry>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  /** Seconds until sign-in is open again; 0 when it is. */
  closedForSeconds(email: string): number {
    const entry = this.#find(email);
    if (entry === undefined || entry.failures < MAX_FAILURES) return 0;
    return Math.ceil((entry.startedAtMs + WINDOW_MS - this.#nowMs()) / 1000);
  }

  /**
   * Counts an attempt before it is made, so that a thousand at once are not all made before the first has failed.
   * `succeed` or `forgive` takes it back.
   */
  begin(email: string): void {
    const key = email.toLowerCase();
    const entry = this.#find(email) ?? { failures: 0, startedAtMs: this.#nowMs() };
    entry.failures += 1;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const oldest = this.#entries.size > MAX_KEYS ? this.#entries.keys().next().value : undefined;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  /** The attempt was no guess: it was not even compared. */
  forgive(email: string): void {
    const entry = this.#find(email);
    if (entry !== undefined) entry.failures -= 1;
  }

  succeed(email: string): void {
    this.#entries.delete(email.toLowerCase());
  }

  #find(email: string): Entry | undefined {
    const entry = this.#entries.get(email.toLowerCase());
    return entry !== undefined && this.#nowMs() - entry.startedAtMs < WINDOW_MS ? entry : undefined;
  }
}
