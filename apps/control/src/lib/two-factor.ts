import { z } from "zod";

const failure = z.looseObject({ message: z.string() });
const enrolment = z.looseObject({ totpURI: z.string().startsWith("otpauth://"), backupCodes: z.array(z.string()) });
const codes = z.looseObject({ backupCodes: z.array(z.string()) });

export type Enrolment = z.output<typeof enrolment>;

/** What the sign-in service said no to, with its status; 429 are too many attempts. */
export class AuthError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function post(path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`/api/auth/two-factor/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json().catch(() => ({}));
  if (!response.ok) throw new AuthError(response.status, failure.safeParse(answer).data?.message ?? "");
  return answer;
}

/** A new key for an app of one-time codes; it counts once `verifyTotp` had its first code. */
export async function beginEnrolment(password: string): Promise<Enrolment> {
  return enrolment.parse(await post("enable", { password }));
}

/** A code of the app: the second step of a sign-in, or the end of an enrolment. */
export async function verifyTotp(code: string): Promise<void> {
  await post("verify-totp", { code: code.replaceAll(" ", "") });
}

/** One of the backup codes, each good once. */
export async function verifyBackupCode(code: string): Promise<void> {
  await post("verify-backup-code", { code: code.trim() });
}

export async function disableTwoFactor(password: string): Promise<void> {
  await post("disable", { password });
}

/** New backup codes; the old ones are worthless then. */
export async function renewBackupCodes(password: string): Promise<string[]> {
  return codes.parse(await post("generate-backup-codes", { password })).backupCodes;
}

/** The key of an enrolment in groups of four letters, for apps without a camera. */
export function keyOf(totpURI: string): string {
  const secret = new URL(totpURI).searchParams.get("secret") ?? "";
  return secret.match(/.{1,4}/g)?.join(" ") ?? "";
}
