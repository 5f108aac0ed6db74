import { type Guard, guardAllow, guardLimits } from "@flotilla/protocol";
import { z } from "zod";
import { hostRef } from "../hosts/schemas.ts";

const teamId = z.string().min(1).max(64);

/** A host's guard rail for a team, the caller's own when none is named; without a host, what holds where there is no other. */
export const guardTarget = z.object({ host: hostRef.optional(), team: teamId.optional() });
export type GuardTarget = z.output<typeof guardTarget>;

export const setGuardInput = guardTarget.extend({ limits: guardLimits, allow: guardAllow });
export type SetGuardInput = z.output<typeof setGuardInput>;

/** `own`: a guard rail for this team on this host. `default`: the instance's. `safe`: there is none, so Docker's defaults. */
export type GuardSource = "own" | "default" | "safe";

export type TeamGuard = Guard & {
  team: { id: string; name: string };
  source: GuardSource;
  /** What the grant of the host limits besides; the stricter of both holds. */
  grantLimits: Guard["limits"];
};

/** `teams` are those whose containers may be there; the caller's alone unless they look after the instance. */
export type HostGuards = { teams: TeamGuard[]; instanceDefault: Guard | null };

export type DefaultGuard = { guard: Guard; isSet: boolean };
