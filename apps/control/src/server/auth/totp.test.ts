import { describe, expect, test } from "vitest";
import { findTotpStep, totpCode } from "./totp.ts";

/** Appendix B of RFC 6238: the last six of its eight digits. */
const KEY = "12345678901234567890";
const VECTORS = [
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_111_111_111, "050471"],
  [1_234_567_890, "005924"],
  [2_000_000_000, "279037"],
  [20_000_000_000, "353130"],
] as const;

describe("one-time codes", () => {
  test.each(VECTORS)("at %i s the code of RFC 6238 is %s", (seconds, code) => {
    expect(totpCode(KEY, Math.floor(seconds / 30))).toBe(code);
    expect(findTotpStep(KEY, code, seconds * 1_000)).toBe(Math.floor(seconds / 30));
  });

  test("a code is known one step early and late, and no further", () => {
    const step = 50_000_000;
    const at = (steps: number): number | undefined => findTotpStep(KEY, totpCode(KEY, step), (step + steps) * 30_000);
    expect([at(-2), at(-1), at(0), at(1), at(2)]).toEqual([undefined, step, step, step, undefined]);
  });

  test.each(["", "28708", "2870820", "287o82", "000000"])("%j is of no step", (code) => {
    expect(findTotpStep(KEY, code, 59_000)).toBeUndefined();
  });
});
