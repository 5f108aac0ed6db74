import { FlotillaError } from "@flotilla/core";
import { Prisma, type Transaction } from "@flotilla/db";
import { findAssignableRole, requireOwn } from "../access/assign.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import type { Actor, RoleRef, UserActor } from "../access/actor.ts";
import { readRole } from "../access/find-actor.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { lockPeople, takeOutOfTeam } from "./leave-team.ts";
import { makeAccount } from "./make-account.ts";

export type MemberRow = { id: string; name: string; email: string; role: RoleRef; hasTwoFactor: boolean; createdAt: string };

export async function listMembers(services: ServiceContext, actor: Actor): Promise<MemberRow[]> {
  const { team } = requireUser(actor);
  const rows = await services.prisma.membership.findMany({
    where: { teamId: team.id, user: { isService: false } },
    include: { user: true, customRole: true },
    orderBy: { createdAt: "asc" },
  });
  return rows.map(({ user, role, customRole, createdAt }) => ({
    id: user.id,
    name: user.name,
    email: user.email,
    role: readRole({ role, customRole }).role,
    hasTwoFactor: user.twoFactorEnabled,
    createdAt: createdAt.toISOString(),
  }));
}

/** Makes an account in the caller's team. @throws conflict when the address has one, forbidden for a role above the caller's. */
export async function createMember(
  services: ServiceContext,
  actor: Actor,
  input: { name: string; email: string; password: string; role: string },
): Promise<{ id: string }> {
  const user = requireUser(actor);
  const passwordHash = await services.passwords.hash(input.password);
  try {
    return await services.prisma.$transaction(async (tx) => {
      const { name: roleName, ...role } = await findAssignableRole(tx, user, input.role);
      const { userId } = await makeAccount(tx, { name: input.name, email: input.email, passwordHash, teamId: user.team.id, ...role });
      const object = { kind: "member" as const, id: userId, name: input.email, teamId: user.team.id };
      await recordAudit(tx, { actor, action: "member.create", object, outcome: "ok", detail: { role: roleName } });
      return { id: userId };
    });
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002") {
      throw new FlotillaError("conflict", `there is an account for ${input.email} already: invite them instead`);
    }
    throw error;
  }
}

/**
 * Gives somebody another role; their open streams end within five seconds where it no longer allows them.
 * @throws not_found, forbidden for a role or a person above the caller, conflict for the last owner.
 */
export async function setMemberRole(services: ServiceContext, actor: Actor, input: { id: string; role: string }): Promise<void> {
  const user = requireUser(actor);
  await services.prisma.$transaction(async (tx) => {
    await lockPeople(tx);
    const found = await findMember(tx, user, input.id);
    const { name: roleName, ...role } = await findAssignableRole(tx, user, input.role);
    if (role.role !== "owner") await requireAnotherOwner(tx, { teamId: user.team.id, userId: input.id });
    await tx.membership.update({ where: { id: found.id }, data: role });
    const object = { kind: "member" as const, id: input.id, name: found.user.email, teamId: user.team.id };
    const before = readRole(found).role.name;
    await recordAudit(tx, { actor, action: "member.setRole", object, outcome: "ok", detail: { before, role: roleName } });
  });
  services.cache.clear();
}

/**
 * Takes a person out of the team, with the tokens that they made for it; an account that is in no team any more is removed.
 * Their open streams are closed within five seconds.
 * @throws conflict for oneself and for the last owner, forbidden for a person above the caller.
 */
export async function removeMember(services: ServiceContext, actor: Actor, userId: string): Promise<void> {
  const user = requireUser(actor);
  if (userId === user.userId) throw new FlotillaError("conflict", "you cannot remove yourself");
  await services.prisma.$transaction(async (tx) => {
    await lockPeople(tx);
    const found = await findMember(tx, user, userId);
    await requireAnotherOwner(tx, { teamId: user.team.id, userId });
    const isGone = await takeOutOfTeam(tx, { teamId: user.team.id, userId });
    const object = { kind: "member" as const, id: userId, name: found.user.email, teamId: user.team.id };
    await recordAudit(tx, { actor, action: "member.remove", object, outcome: "ok", detail: { accountRemoved: isGone } });
  });
  services.cache.clear();
}

/** A member whom the caller may decide about. @throws not_found, forbidden. */
async function findMember(tx: Transaction, user: UserActor, userId: string) {
  const where = { teamId_userId: { teamId: user.team.id, userId } };
  const found = await tx.membership.findUnique({ where, include: { user: true, customRole: true } });
  if (found === null) throw notFound("member", userId);
  requireOwn(user, readRole(found).rights);
  return found;
}

async function requireAnotherOwner(tx: Transaction, { teamId, userId }: { teamId: string; userId: string }): Promise<void> {
  const isOwner = (await tx.membership.count({ where: { teamId, userId, role: "owner" } })) > 0;
  const others = await tx.membership.count({ where: { teamId, role: "owner", userId: { not: userId } } });
  if (isOwner && others === 0) throw new FlotillaError("conflict", "the last owner of a team cannot be removed");
}
