import type { PrismaClient } from "@flotilla/db";
import { symmetricDecrypt } from "better-auth/crypto";
import { findTotpStep } from "./totp.ts";

export type UsedCodesOptions = { prisma: PrismaClient; /** What better-auth encrypts keys of one-time codes with. */ secret: string };

/**
 * Takes each one-time code once (RFC 6238, 5.2): whoever looked over a shoulder has nothing. The step of the last taken code is in the
 * database, so that several control planes know it; a code of that step or an earlier one is not taken.
 */
export class UsedCodes {
  readonly #options: UsedCodesOptions;

  constructor(options: UsedCodesOptions) {
    this.#options = options;
  }

  /**
   * Whether the code of somebody who gave their password was taken before: then it is not even compared, and they may try the next one.
   * Who that is, the cookie of the first step says; one that is none is left to who checks its signature.
   */
  async wasTaken(cookies: string | undefined, code: string, nowMs: number): Promise<boolean> {
    const { prisma } = this.#options;
    const identifier = /(?:^|;\s*)(?:__Secure-)?flotilla\.two_factor=([^.;%]{1,200})/.exec(cookies ?? "")?.[1];
    if (identifier === undefined) return false;
    const begun = await prisma.verification.findFirst({ where: { identifier } });
    const row = begun === null ? null : await prisma.twoFactor.findUnique({ where: { userId: begun.value } });
    if (row === null || row.lastStep === null) return false;
    const step = await this.#stepOf(row, code, nowMs);
    return step !== undefined && step <= row.lastStep;
  }

  /** Takes a code that was compared and is right. @returns false when it, or a later one, was taken before. */
  async take(userId: string, code: string, nowMs: number): Promise<boolean> {
    const { prisma } = this.#options;
    const row = await prisma.twoFactor.findUnique({ where: { userId } });
    const step = row === null ? undefined : await this.#stepOf(row, code, nowMs);
    if (row === null || step === undefined) return false;
    // One statement: of two at the same moment one finds it taken.
    const isLater = { OR: [{ lastStep: null }, { lastStep: { lt: step } }] };
    const { count } = await prisma.twoFactor.updateMany({ where: { id: row.id, ...isLater }, data: { lastStep: step } });
    return count === 1;
  }

  async #stepOf(row: { secret: string }, code: string, nowMs: number): Promise<number | undefined> {
    return findTotpStep(await symmetricDecrypt({ key: this.#options.secret, data: row.secret }), code, nowMs);
  }
}
