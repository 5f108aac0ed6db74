import { FlotillaError } from "@flotilla/core";
import type { Transaction } from "@flotilla/db";
import type { UserActor } from "./actor.ts";
import { notFound } from "./authorize.ts";
import { readRole } from "./find-actor.ts";
import { BUILT_IN_ROLES, type Right } from "./rights.ts";

/** A role as rows of memberships and invitations name it. */
export type StoredRole = { role: string; roleId: string | null };

/**
 * Whoever decides about people gives and takes no more than they have themselves: else a right to manage the team would be a
 * right to everything.
 * @throws forbidden
 */
export function requireOwn(actor: UserActor, rights: Iterable<Right>): void {
  for (const right of rights)
    if (!actor.rights.has(right))
      throw new FlotillaError("forbidden", `you cannot decide about rights that you do not have yourself (${right})`);
}

/** A role of the team by the name of a built-in one or by its id, which the actor may give. @throws not_found, forbidden. */
export async function findAssignableRole(tx: Transaction, actor: UserActor, ref: string): Promise<StoredRole & { name: string }> {
  const builtIn = BUILT_IN_ROLES.find((name) => name === ref);
  const customRole = builtIn === undefined ? await tx.teamRole.findFirst({ where: { id: ref, teamId: actor.team.id } }) : null;
  if (builtIn === undefined && customRole === null) throw notFound("role", ref);
  const stored = { role: builtIn ?? "custom", roleId: customRole?.id ?? null };
  const { role, rights } = readRole({ role: stored.role, customRole });
  requireOwn(actor, rights);
  return { ...stored, name: role.name };
}
