import type { ServerResponse } from "node:http";
import { FlotillaError } from "@flotilla/core";
import type { Actor } from "@flotilla/services";
import { networkOf } from "../auth/sign-in-guard.ts";

/** So many seconds of the rate may be used at once. */
const BURST_SECONDS = 20;
/** Whoever shows nothing has a quarter of what a token or a session has. */
const ANONYMOUS_SHARE = 4;
const SWEEP_AT = 10_000;

export type Quota = {
  limit: number;
  remaining: number;
  /** Until all of it is there again, and until the next call may be made. */ resetSeconds: number;
  retrySeconds: number;
};
export type RateLimitOptions = {
  /** Calls a second of a token or session, without end; 0: no limit. */ perSecond: number;
  nowMs?: () => number;
};

/**
 * How many calls each token, session and address may make of REST, tRPC, the Docker API and the registry: a steady rate and a burst
 * (GCRA: one number for each caller, which says when its next call would be due). Counted by each control plane for itself, in memory:
 * it keeps a mad script from eating the others' time, and is no means to bill anybody.
 */
export class RateLimits {
  readonly #perSecond: number;
  readonly #nowMs: () => number;
  readonly #dueMs = new Map<string, number>();

  constructor({ perSecond, nowMs = Date.now }: RateLimitOptions) {
    this.#perSecond = perSecond;
    this.#nowMs = nowMs;
  }

  /** Counts calls of a caller. A refused one costs nothing. Undefined where there is no limit for them. */
  take(actor: Actor, calls = 1): Quota | undefined {
    const caller = callerOf(actor);
    if (caller === undefined || this.#perSecond === 0) return undefined;
    const perSecond = caller.isAnonymous ? Math.max(1, this.#perSecond / ANONYMOUS_SHARE) : this.#perSecond;
    const intervalMs = 1_000 / perSecond;
    const limit = Math.ceil(perSecond * BURST_SECONDS);
    const now = this.#nowMs();
    const due = Math.max(this.#dueMs.get(caller.key) ?? 0, now);
    const next = due + calls * intervalMs;
    const lateMs = next - now - limit * intervalMs;
    const isRefused = lateMs > 0.001;
    const kept = isRefused ? due : next;
    this.#dueMs.set(caller.key, kept);
    if (this.#dueMs.size > SWEEP_AT) this.#sweep(now);
    return {
      limit,
      remaining: Math.max(0, Math.floor((limit * intervalMs - (kept - now)) / intervalMs + 0.001)),
      resetSeconds: Math.ceil((kept - now) / 1_000),
      retrySeconds: isRefused ? Math.max(1, Math.ceil(lateMs / 1_000)) : 0,
    };
  }

  /**
   * The same for a call with an answer, whose headers tell what is left (draft-ietf-httpapi-ratelimit-headers).
   * @throws rate_limited
   */
  admit(actor: Actor, res: ServerResponse | undefined, calls = 1): void {
    const quota = this.take(actor, calls);
    if (quota === undefined) return;
    res?.setHeader("ratelimit-policy", `"calls";q=${quota.limit};w=${BURST_SECONDS}`);
    res?.setHeader("ratelimit", `"calls";r=${quota.remaining};t=${quota.resetSeconds}`);
    if (quota.retrySeconds === 0) return;
    res?.setHeader("retry-after", String(quota.retrySeconds));
    throw new FlotillaError("rate_limited", `too many calls: try again in ${quota.retrySeconds} s`);
  }

  /** Whoever has all of their quota again is as good as unknown. */
  #sweep(now: number): void {
    for (const [key, due] of this.#dueMs) if (due <= now) this.#dueMs.delete(key);
  }
}

/** Hosts and the control plane itself are not counted: they are bound elsewhere. */
function callerOf(actor: Actor): { key: string; isAnonymous: boolean } | undefined {
  if (actor.kind === "user") return { key: `${actor.credential.kind} ${actor.credential.id}`, isAnonymous: false };
  return actor.kind === "anonymous" ? { key: `address ${networkOf(actor.address ?? "")}`, isAnonymous: true } : undefined;
}
