import { FlotillaError } from "@flotilla/core";
import { Prisma } from "@flotilla/db";
import { z } from "zod";
import { requireOwn } from "../access/assign.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import type { ObjectRef } from "../access/can.ts";
import { BUILT_IN_ROLES, listRights, type Right, RIGHTS, rightsOfRole, toRights } from "../access/rights.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";

const MAX_ROLES = 100;

export const roleName = z
  .string()
  .trim()
  .min(1)
  .max(60)
  .refine((name) => !BUILT_IN_ROLES.some((builtIn) => builtIn === name.toLowerCase()), "is the name of a role that every team has");
export const rightList = z.array(z.enum(RIGHTS)).max(RIGHTS.length);
export type RoleInput = { name: string; rights: Right[] };

export type RoleRow = { id: string; name: string; isBuiltIn: boolean; rights: Right[]; members: number };

/** The roles of the caller's team: those that every team has, then its own by name. */
export async function listRoles(services: ServiceContext, actor: Actor): Promise<RoleRow[]> {
  const { team } = requireUser(actor);
  const [roles, members] = await Promise.all([
    services.prisma.teamRole.findMany({
      where: { teamId: team.id },
      orderBy: { name: "asc" },
      include: { _count: { select: { memberships: true } } },
    }),
    services.prisma.membership.groupBy({ by: ["role"], where: { teamId: team.id }, _count: { _all: true } }),
  ]);
  const countOf = (role: string): number => members.find((group) => group.role === role)?._count._all ?? 0;
  return [
    ...BUILT_IN_ROLES.map((name) => ({ id: name, name, isBuiltIn: true, rights: listRights(rightsOfRole(name)), members: countOf(name) })),
    ...roles.map(({ id, name, rights, _count }) => ({
      id,
      name,
      isBuiltIn: false,
      rights: listRights(toRights(rights)),
      members: _count.memberships,
    })),
  ];
}

/** @throws forbidden for rights that the caller does not have, conflict for a name that is taken. */
export async function createRole(services: ServiceContext, actor: Actor, input: RoleInput): Promise<{ id: string }> {
  const user = requireUser(actor);
  requireOwn(user, input.rights);
  return withTakenName(input.name, () =>
    services.prisma.$transaction(async (tx) => {
      if ((await tx.teamRole.count({ where: { teamId: user.team.id } })) >= MAX_ROLES)
        throw new FlotillaError("exhausted", `a team has at most ${MAX_ROLES} roles of its own`);
      const rights = listRights(new Set(input.rights));
      const { id } = await tx.teamRole.create({ data: { teamId: user.team.id, name: input.name, rights } });
      await recordAudit(tx, {
        actor,
        action: "role.create",
        object: objectOf(id, input.name, user.team.id),
        outcome: "ok",
        detail: { rights: rights.join(" ") },
      });
      return { id };
    }),
  );
}

/** Changes what a role allows; whoever has it is bound at once. @throws as {@link createRole}, not_found. */
export async function updateRole(services: ServiceContext, actor: Actor, { id, ...input }: RoleInput & { id: string }): Promise<void> {
  const user = requireUser(actor);
  requireOwn(user, input.rights);
  await withTakenName(input.name, () =>
    services.prisma.$transaction(async (tx) => {
      const found = await tx.teamRole.findFirst({ where: { id, teamId: user.team.id } });
      if (found === null) throw notFound("role", id);
      requireOwn(user, toRights(found.rights));
      const rights = listRights(new Set(input.rights));
      await tx.teamRole.update({ where: { id }, data: { name: input.name, rights } });
      const detail = {
        before: found.rights.join(" "),
        rights: rights.join(" "),
        ...(found.name === input.name ? {} : { nameBefore: found.name }),
      };
      await recordAudit(tx, { actor, action: "role.update", object: objectOf(id, input.name, user.team.id), outcome: "ok", detail });
    }),
  );
  services.cache.clear();
}

/** @throws conflict while somebody has it. */
export async function removeRole(services: ServiceContext, actor: Actor, id: string): Promise<void> {
  const user = requireUser(actor);
  await services.prisma.$transaction(async (tx) => {
    const found = await tx.teamRole.findFirst({
      where: { id, teamId: user.team.id },
      include: { _count: { select: { memberships: true } } },
    });
    if (found === null) throw notFound("role", id);
    requireOwn(user, toRights(found.rights));
    if (found._count.memberships > 0)
      throw new FlotillaError("conflict", `${found._count.memberships} people have the role ${found.name}: give them another one first`);
    await tx.teamRole.delete({ where: { id } });
    await recordAudit(tx, { actor, action: "role.remove", object: objectOf(id, found.name, user.team.id), outcome: "ok" });
  });
}

function objectOf(id: string, name: string, teamId: string): ObjectRef {
  return { kind: "role", id, name, teamId };
}

async function withTakenName<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002")
      throw new FlotillaError("conflict", `there is a role ${name} already`);
    throw error;
  }
}
