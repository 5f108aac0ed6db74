import { FlotillaError } from "@flotilla/core";
import { findAssignableRole } from "../access/assign.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import type { Actor, RoleRef } from "../access/actor.ts";
import type { ObjectRef } from "../access/can.ts";
import { readRole } from "../access/find-actor.ts";
import { hashToken, makeSecret } from "../access/secrets.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";

const DAY_MS = 86_400_000;
const MAX_INVITATIONS = 500;

export type InvitationRow = {
  id: string;
  email: string;
  role: RoleRef;
  invitedBy: string;
  createdAt: string;
  expiresAt: string;
  isExpired: boolean;
};

/** Invitations to the caller's team that nobody accepted yet; never their links. */
export async function listInvitations(services: ServiceContext, actor: Actor): Promise<InvitationRow[]> {
  const { team } = requireUser(actor);
  const rows = await services.prisma.invitation.findMany({
    where: { teamId: team.id },
    include: { customRole: true },
    orderBy: { createdAt: "desc" },
  });
  return rows.map((row) => ({
    id: row.id,
    email: row.email,
    role: readRole(row).role,
    invitedBy: row.invitedBy,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    isExpired: row.expiresAt.getTime() <= services.nowMs(),
  }));
}

/**
 * Invites an address into the caller's team. The link is given out here and nowhere else, for the inviter to pass on: the database keeps
 * its digest. An older invitation of the address becomes worthless.
 * @throws conflict for somebody who is there already, forbidden for a role above the caller's.
 */
export async function createInvitation(
  services: ServiceContext,
  actor: Actor,
  input: { email: string; role: string; expiresInDays: number },
): Promise<{ id: string; url: string; expiresAt: string }> {
  const user = requireUser(actor);
  const token = makeSecret();
  const expiresAt = new Date(services.nowMs() + input.expiresInDays * DAY_MS);
  const id = await services.prisma.$transaction(async (tx) => {
    const { name: roleName, ...role } = await findAssignableRole(tx, user, input.role);
    const teamId = user.team.id;
    if ((await tx.membership.count({ where: { teamId, user: { email: input.email } } })) > 0)
      throw new FlotillaError("conflict", `${input.email} is in this team already`);
    if ((await tx.invitation.count({ where: { teamId } })) >= MAX_INVITATIONS)
      throw new FlotillaError("exhausted", `there are ${MAX_INVITATIONS} invitations already: revoke some first`);
    await tx.invitation.deleteMany({ where: { teamId, email: input.email } });
    const data = { teamId, email: input.email, tokenHash: hashToken(token), invitedBy: user.email, expiresAt, ...role };
    const row = await tx.invitation.create({ data });
    const detail = { role: roleName, expiresAt: expiresAt.toISOString() };
    await recordAudit(tx, { actor, action: "invitation.create", object: invitationObject(row), outcome: "ok", detail });
    return row.id;
  });
  // In the fragment: it is sent to no server and gets into no log.
  return { id, url: `${services.publicUrl}/invite#token=${token}`, expiresAt: expiresAt.toISOString() };
}

export async function revokeInvitation(services: ServiceContext, actor: Actor, id: string): Promise<void> {
  const { team } = requireUser(actor);
  await services.prisma.$transaction(async (tx) => {
    const row = await tx.invitation.findFirst({ where: { id, teamId: team.id } });
    if (row === null) throw notFound("invitation", id);
    await tx.invitation.delete({ where: { id } });
    await recordAudit(tx, { actor, action: "invitation.revoke", object: invitationObject(row), outcome: "ok" });
  });
}

export function invitationObject(row: { id: string; email: string; teamId: string }): ObjectRef {
  return { kind: "invitation", id: row.id, name: row.email, teamId: row.teamId };
}
