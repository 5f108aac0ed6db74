import { randomBytes } from "node:crypto";
import type { Actor } from "../access/actor.ts";

/** A call of a host's engine is over well before. */
const LIFETIME_MS = 60_000;
const MAX_TICKETS = 10_000;

/**
 * Who is behind a call that goes through the control plane to a host and may come back as a wish of that host. The host gets a
 * random ticket and returns it: it cannot make up a caller, nor use the ticket of another host.
 */
export class CallerTickets {
  readonly #tickets = new Map<string, { hostId: string; actor: Actor; untilMs: number }>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  /** A ticket for one call; `end` when the call is over. */
  issue(hostId: string, actor: Actor): { ticket: string; end: () => void } {
    const now = this.#nowMs();
    for (const [ticket, { untilMs }] of this.#tickets) {
      if (untilMs > now && this.#tickets.size < MAX_TICKETS) break;
      this.#tickets.delete(ticket);
    }
    const ticket = randomBytes(16).toString("base64url");
    this.#tickets.set(ticket, { hostId, actor, untilMs: now + LIFETIME_MS });
    return { ticket, end: () => this.#tickets.delete(ticket) };
  }

  find(hostId: string, ticket: string | undefined): Actor | undefined {
    const found = ticket === undefined ? undefined : this.#tickets.get(ticket);
    return found?.hostId === hostId && found.untilMs > this.#nowMs() ? found.actor : undefined;
  }
}
