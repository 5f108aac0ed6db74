// zod/mini: the same schemas, of which a page loads a third.
import * as z from "zod/mini";
import { callAuth } from "./auth-calls.ts";

const enrolment = z.looseObject({ totpURI: z.string().check(z.startsWith("otpauth://")), backupCodes: z.array(z.string()) });
const codes = z.looseObject({ backupCodes: z.array(z.string()) });

export type Enrolment = z.output<typeof enrolment>;

/** A new key for an app of one-time codes; it counts once `verifyTotp` had its first code. */
export async function beginEnrolment(password: string): Promise<Enrolment> {
  return enrolment.parse(await callAuth("two-factor/enable", { password }));
}

/** A code of the app: the second step of a sign-in, or the end of an enrolment. */
export async function verifyTotp(code: string): Promise<void> {
  await callAuth("two-factor/verify-totp", { code: code.replaceAll(" ", "") });
}

/** One of the backup codes, each good once. */
export async function verifyBackupCode(code: string): Promise<void> {
  await callAuth("two-factor/verify-backup-code", { code: code.trim() });
}

export async function disableTwoFactor(password: string): Promise<void> {
  await callAuth("two-factor/disable", { password });
}

/** New backup codes; the old ones are worthless then. */
export async function renewBackupCodes(password: string): Promise<string[]> {
  return codes.parse(await callAuth("two-factor/generate-backup-codes", { password })).backupCodes;
}

/** The key of an enrolment in groups of four letters, for apps without a camera. */
export function keyOf(totpURI: string): string {
  const secret = new URL(totpURI).searchParams.get("secret") ?? "";
  return secret.match(/.{1,4}/g)?.join(" ") ?? "";
}
