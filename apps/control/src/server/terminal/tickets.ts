import { hashToken, makeSecret } from "@flotilla/services";

const LIFETIME_MS = 60_000;
const MAX_TICKETS = 10_000;

/** One-time tickets: whoever shows one gets what it is for, once, within a minute. Only digests are kept. */
export class Tickets<T> {
  readonly #tickets = new Map<string, { value: T; expiresAtMs: number }>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  issue(value: T): string {
    this.#dropOld();
    const ticket = makeSecret();
    this.#tickets.set(hashToken(ticket), { value, expiresAtMs: this.#nowMs() + LIFETIME_MS });
    return ticket;
  }

  /** What the ticket is for; it is used up. */
  redeem(ticket: string): T | undefined {
    const key = hashToken(ticket);
    const found = this.#tickets.get(key);
    this.#tickets.delete(key);
    return found !== undefined && found.expiresAtMs > this.#nowMs() ? found.value : undefined;
  }

  #dropOld(): void {
    const now = this.#nowMs();
    for (const [key, { expiresAtMs }] of this.#tickets) {
      // In order of issue: the first that is still good ends the search.
      if (expiresAtMs > now && this.#tickets.size < MAX_TICKETS) break;
      this.#tickets.delete(key);
    }
  }
}
