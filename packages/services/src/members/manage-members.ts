import { FlotillaError } from "@flotilla/core";
import { Prisma } from "@flotilla/db";
import { notFound, requireUser } from "../access/authorize.ts";
import type { Actor, RoleRef } from "../access/actor.ts";
import { readRole } from "../access/find-actor.ts";
import type { BuiltInRole } from "../access/rights.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { makeAccount } from "./make-account.ts";

export type MemberRow = { id: string; name: string; email: string; role: RoleRef; createdAt: string };

export async function listMembers(services: ServiceContext, actor: Actor): Promise<MemberRow[]> {
  const { team } = requireUser(actor);
  const rows = await services.prisma.membership.findMany({
    where: { teamId: team.id, user: { isService: false } },
    include: { user: true, customRole: true },
    orderBy: { createdAt: "asc" },
  });
  return rows.map(({ user, role, customRole, createdAt }) => {
    return {
      id: user.id,
      name: user.name,
      email: user.email,
      role: readRole({ role, customRole }).role,
      createdAt: createdAt.toISOString(),
    };
  });
}

/** Makes an account in the caller's team. @throws conflict when the address has one. */
export async function createMember(
  services: ServiceContext,
  actor: Actor,
  input: { name: string; email: string; password: string; role: BuiltInRole },
): Promise<{ id: string }> {
  const { team } = requireUser(actor);
  const passwordHash = await services.passwords.hash(input.password);
  try {
    return await services.prisma.$transaction(async (tx) => {
      const { userId } = await makeAccount(tx, { name: input.name, email: input.email, passwordHash, teamId: team.id, role: input.role });
      const object = { kind: "member" as const, id: userId, name: input.email, teamId: team.id };
      await recordAudit(tx, { actor, action: "member.create", object, outcome: "ok", detail: { role: input.role } });
      return { id: userId };
    });
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002") {
      throw new FlotillaError("conflict", `there is an account for ${input.email} already`);
    }
    throw error;
  }
}

/**
 * Removes a person with their sessions and tokens; their open streams are closed within five seconds.
 * @throws conflict for oneself and for the last owner.
 */
export async function removeMember(services: ServiceContext, actor: Actor, userId: string): Promise<void> {
  const { team, userId: ownId } = requireUser(actor);
  if (userId === ownId) throw new FlotillaError("conflict", "you cannot remove yourself");
  await services.prisma.$transaction(
    async (tx) => {
      const row = await tx.membership.findUnique({ where: { teamId_userId: { teamId: team.id, userId } }, include: { user: true } });
      if (row === null) throw notFound("member", userId);
      const owners = await tx.membership.count({ where: { teamId: team.id, role: "owner", userId: { not: userId } } });
      if (owners === 0) throw new FlotillaError("conflict", "the last owner of a team cannot be removed");
      await tx.user.delete({ where: { id: userId } });
      const object = { kind: "member" as const, id: userId, name: row.user.email, teamId: team.id };
      await recordAudit(tx, { actor, action: "member.remove", object, outcome: "ok" });
    },
    { isolationLevel: "Serializable" },
  );
  services.cache.clear();
}
