// What somebody should look at, as data: codes and values, which a page puts into its own words.
import type { Reason } from "@flotilla/planner";

/** What is wrong, with the values that say so. Nothing here is a sentence in some language but what a machine said. */
export type AttentionCause =
  | { code: "hostFlagged"; host: string; flag: string }
  | { code: "hostOffline"; host: string }
  | { code: "diskFull"; host: string; percent: number; freeBytes: number }
  | { code: "unhealthy" | "restarting" | "dead"; host: string; container: string; image: string }
  | { code: "crashed"; host: string; container: string; image: string; exitCode: number }
  /** So many more of the containers above have something. */
  | { code: "moreContainers"; count: number }
  /** `reasons` are the message as data, where that is known. */
  | { code: "rolloutFailed" | "rolloutHeld"; stack: string; service: string; message: string; reasons: Reason[] | null }
  /** A canary runs, and waits for a person to let the rest follow. */
  | { code: "rolloutAwaits"; stack: string; service: string }
  | { code: "replicasMissing"; stack: string; service: string; running: number; wanted: number; message: string; reasons: Reason[] | null }
  | { code: "unreachable"; from: string; to: string; isBothWays: boolean }
  | { code: "mtuTooLarge"; network: string; from: string; to: string; needsBytes: number; pathMtuBytes: number }
  | { code: "quotaNear"; percent: number; usedBytes: number; limitBytes: number }
  /** Invited people who did not come yet; the links of some may have run out. */
  | { code: "invitationsPending"; count: number; expired: number }
  | { code: "tokenExpires"; token: string; expiresAt: string; isOver: boolean };

export const SEVERITIES = ["critical", "warning", "info"] as const;

export type Attention = AttentionCause & {
  severity: (typeof SEVERITIES)[number];
  /** Where it can be mended, as an address of the dashboard. */
  href: string;
  /** Since when it is so, RFC 3339; null when nobody knows. */
  since: string | null;
};

/** Most urgent first; of equal ones what began last, since that is what somebody just did or what just broke. Pure. */
export function bySeverity(items: readonly Attention[]): Attention[] {
  return items.toSorted(
    (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || (b.since ?? "").localeCompare(a.since ?? ""),
  );
}
