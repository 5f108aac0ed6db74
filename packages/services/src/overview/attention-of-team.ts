import type { InvitationRow } from "../invitations/manage-invitations.ts";
import type { RegistryUsage } from "../registry/quota.ts";
import type { TokenRow } from "../tokens/manage-tokens.ts";
import type { Attention } from "./attention.ts";

const QUOTA_WARNING = 0.9;
const DAY_MS = 86_400_000;
const EXPIRES_SOON_MS = 7 * DAY_MS;
/** A token that is over is worth a word only to who used it until then. */
const USED_LATELY_MS = 7 * DAY_MS;

/** The registry that is nearly full. Pure. */
export function attentionOfRegistry({ usedBytes, uploadBytes, limitBytes }: RegistryUsage): Attention[] {
  if (limitBytes === null || limitBytes === 0) return [];
  const used = usedBytes + uploadBytes;
  if (used / limitBytes < QUOTA_WARNING) return [];
  const percent = Math.floor((100 * used) / limitBytes);
  const severity = used >= limitBytes ? "critical" : "warning";
  return [{ code: "quotaNear", severity, percent, usedBytes: used, limitBytes, href: "/registry?tab=space", since: null }];
}

/** The caller's tokens that are used and end soon, or did. Pure. */
export function attentionOfTokens(tokens: readonly TokenRow[], nowMs: number): Attention[] {
  return tokens.flatMap(({ name: token, expiresAt, lastUsedAt }): Attention[] => {
    if (expiresAt === null) return [];
    const endsMs = Date.parse(expiresAt);
    const isOver = endsMs <= nowMs;
    const usedMs = lastUsedAt === null ? null : Date.parse(lastUsedAt);
    if (endsMs > nowMs + EXPIRES_SOON_MS) return [];
    if (isOver && (usedMs === null || nowMs - usedMs > USED_LATELY_MS)) return [];
    const severity = isOver ? "warning" : "info";
    return [{ code: "tokenExpires", severity, token, expiresAt, isOver, href: "/settings?tab=tokens", since: null }];
  });
}

/** Invitations that nobody accepted, in one line, since the oldest of them. Pure. */
export function attentionOfInvitations(invitations: readonly Pick<InvitationRow, "createdAt" | "isExpired">[]): Attention[] {
  if (invitations.length === 0) return [];
  const since = invitations.map(({ createdAt }) => createdAt).toSorted()[0] ?? null;
  const expired = invitations.filter(({ isExpired }) => isExpired).length;
  const href = "/settings?tab=members";
  return [{ code: "invitationsPending", severity: "info", count: invitations.length, expired, href, since }];
}
