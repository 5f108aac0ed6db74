import { createHmac, timingSafeEqual } from "node:crypto";

const STEP_MS = 30_000;
/** Clocks of telephones go wrong: the step before and the one after are taken too, as the library that compares codes does. */
const WINDOW = 1;

/** The code of a time step (RFC 6238 with SHA-1, six digits, steps of 30 seconds). `key` is the shared secret as bytes of text. */
export function totpCode(key: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", key).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 0x0f;
  return String((digest.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, "0");
}

/** The time step that a code is of, the latest of those that are taken now; undefined when it is of none. */
export function findTotpStep(key: string, code: string, nowMs: number): number | undefined {
  const now = Math.floor(nowMs / STEP_MS);
  const given = Buffer.from(code);
  for (let step = now + WINDOW; step >= now - WINDOW; step--) {
    const expected = Buffer.from(totpCode(key, step));
    if (expected.length === given.length && timingSafeEqual(expected, given)) return step;
  }
  return undefined;
}
