import type { RoleRef } from "./actor.ts";
import { GRANTABLE_RIGHTS, type Right, RIGHTS } from "./rights.ts";

/** Why somebody has a right, or what is missing for it. */
export type Reason =
  | { kind: "instanceAdmin" }
  | { kind: "role"; role: RoleRef }
  | { kind: "grant"; team: string }
  | { kind: "notInRole"; role: RoleRef }
  | { kind: "notInGrant"; team: string }
  | { kind: "noTwoFactor" };

export type Explained = { right: Right; isAllowed: boolean; reasons: Reason[] };

export type Standing = {
  role: RoleRef | null;
  /** What the role allows. */
  roleRights: ReadonlySet<Right>;
  isInstanceAdmin: boolean;
  /** The team demands a second factor and the person has none. */
  lacksTwoFactor: boolean;
  /** Set for a host of another team: what is granted there, and whose host it is. */
  grant?: { team: string; rights: ReadonlySet<Right> };
};

/**
 * "What can X do, and why": each right with all that allows it, or all that stands in its way. The same rules as `can`; a test
 * holds the two together.
 */
export function explainRights(standing: Standing): Explained[] {
  const rights = standing.grant === undefined ? RIGHTS : GRANTABLE_RIGHTS;
  return rights.map((right) => {
    const missing = obstacles(standing, right);
    return missing.length > 0
      ? { right, isAllowed: false, reasons: missing }
      : { right, isAllowed: true, reasons: causes(standing, right) };
  });
}

function obstacles({ role, roleRights, isInstanceAdmin, lacksTwoFactor, grant }: Standing, right: Right): Reason[] {
  return [
    ...(lacksTwoFactor ? [{ kind: "noTwoFactor" } as const] : []),
    ...(!isInstanceAdmin && role !== null && !roleRights.has(right) ? [{ kind: "notInRole", role } as const] : []),
    ...(grant !== undefined && !grant.rights.has(right) ? [{ kind: "notInGrant", team: grant.team } as const] : []),
  ];
}

function causes({ role, roleRights, isInstanceAdmin, grant }: Standing, right: Right): Reason[] {
  return [
    ...(isInstanceAdmin ? [{ kind: "instanceAdmin" } as const] : []),
    ...(role !== null && roleRights.has(right) ? [{ kind: "role", role } as const] : []),
    ...(grant === undefined ? [] : [{ kind: "grant", team: grant.team } as const]),
  ];
}
