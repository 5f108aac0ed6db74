import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import { Prisma, type PrismaClient } from "@flotilla/db";
import { z } from "zod";

const WINDOW_MS = 15 * 60_000;
const MAX_FAILURES = 10;
const SWEEP_EVERY = 100;

/** Who is guessed at, and from where. */
export type Attempt = { email: string; address: string };

const counted = z.tuple([z.object({ failures: z.int(), started_at: z.date() })]);

/**
 * Bounds guesses at one account from one address: after ten failures in a quarter of an hour that address is turned away for this
 * account until the window ends. Never the account alone: else a stranger who knows an address of e-mail could lock its owner out.
 * Counted in the database, so that several control planes and restarts count together. (All attempts of one address, whatever the
 * account, are bounded by better-auth.)
 */
export class SignInGuard {
  readonly #prisma: PrismaClient;
  readonly #nowMs: () => number;
  #begun = 0;

  constructor(prisma: PrismaClient, nowMs: () => number = Date.now) {
    this.#prisma = prisma;
    this.#nowMs = nowMs;
  }

  /**
   * Counts an attempt before it is made, so that a thousand at once are not all made before the first has failed. Answers 0 when it
   * may be made, else the seconds until the next may. `succeed` or `forgive` takes a counted one back.
   */
  async begin(attempt: Attempt): Promise<number> {
    const now = this.#nowMs();
    const cut = new Date(now - WINDOW_MS);
    this.#begun += 1;
    if (this.#begun % SWEEP_EVERY === 0) await this.#prisma.signInAttempt.deleteMany({ where: { startedAt: { lte: cut } } });
    const rows = await this.#prisma.$queryRaw(Prisma.sql`
      INSERT INTO sign_in_attempts AS held (key, failures, started_at) VALUES (${keyOf(attempt)}, 1, ${new Date(now)})
      ON CONFLICT (key) DO UPDATE SET
        failures = CASE WHEN held.started_at <= ${cut} THEN 1 ELSE least(held.failures, ${MAX_FAILURES}) + 1 END,
        started_at = CASE WHEN held.started_at <= ${cut} THEN excluded.started_at ELSE held.started_at END
      RETURNING failures, started_at`);
    const [{ failures, started_at: startedAt }] = counted.parse(rows);
    return failures <= MAX_FAILURES ? 0 : Math.max(1, Math.ceil((startedAt.getTime() + WINDOW_MS - now) / 1000));
  }

  /** The attempt was no guess: it was not even compared. */
  async forgive(attempt: Attempt): Promise<void> {
    await this.#prisma.signInAttempt.updateMany({
      where: { key: keyOf(attempt), failures: { gt: 0 } },
      data: { failures: { decrement: 1 } },
    });
  }

  async succeed(attempt: Attempt): Promise<void> {
    await this.#prisma.signInAttempt.deleteMany({ where: { key: keyOf(attempt) } });
  }
}

/** A digest: the table tells nobody who was guessed at. */
function keyOf({ email, address }: Attempt): string {
  return createHash("sha256")
    .update(`${email.trim().toLowerCase()}\0${networkOf(address)}`)
    .digest("hex");
}

/** Whoever has one IPv6 address has the 2^64 beside it: they count as one. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.toLowerCase().split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}
