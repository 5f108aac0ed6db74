import { FlotillaError } from "@flotilla/core";
import type { Transaction, User } from "@flotilla/db";
import { notFound, requireUser } from "../access/authorize.ts";
import type { Actor, RoleRef } from "../access/actor.ts";
import type { ObjectRef } from "../access/can.ts";
import { readRole } from "../access/find-actor.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { lockPeople } from "../members/leave-team.ts";

const PAGE = 200;

export type PersonRow = {
  id: string;
  name: string;
  email: string;
  isInstanceAdmin: boolean;
  hasTwoFactor: boolean;
  createdAt: string;
  sessions: number;
  memberships: { team: { id: string; name: string; slug: string }; role: RoleRef }[];
};

/** People of the instance, by e-mail address: those whose name or address has the text, and the page that begins after `cursor`. */
export async function listPeople(
  services: ServiceContext,
  input: { search?: string | undefined; cursor?: string | undefined },
): Promise<{ items: PersonRow[]; nextCursor: string | null }> {
  const text = input.search?.trim() ?? "";
  const contains = { contains: text, mode: "insensitive" as const };
  const rows = await services.prisma.user.findMany({
    where: {
      isService: false,
      ...(text === "" ? {} : { OR: [{ email: contains }, { name: contains }] }),
      ...(input.cursor === undefined ? {} : { email: { gt: input.cursor } }),
    },
    include: {
      memberships: { include: { team: true, customRole: true }, orderBy: { createdAt: "asc" } },
      _count: { select: { sessions: { where: { expiresAt: { gt: new Date(services.nowMs()) } } } } },
    },
    orderBy: { email: "asc" },
    take: PAGE + 1,
  });
  const page = rows.slice(0, PAGE).map((user) => ({
    id: user.id,
    name: user.name,
    email: user.email,
    isInstanceAdmin: user.isInstanceAdmin,
    hasTwoFactor: user.twoFactorEnabled,
    createdAt: user.createdAt.toISOString(),
    sessions: user._count.sessions,
    memberships: user.memberships.map((membership) => ({
      team: { id: membership.team.id, name: membership.team.name, slug: membership.team.slug },
      role: readRole(membership).role,
    })),
  }));
  return { items: page, nextCursor: rows.length > PAGE ? (page.at(-1)?.email ?? null) : null };
}

/** Makes somebody an instance administrator, or ends that. @throws conflict for the last one. */
export async function setInstanceAdmin(
  services: ServiceContext,
  actor: Actor,
  input: { id: string; isInstanceAdmin: boolean },
): Promise<void> {
  await services.prisma.$transaction(async (tx) => {
    await lockPeople(tx);
    const user = await findUser(tx, input.id);
    if (!input.isInstanceAdmin) await requireAnotherAdmin(tx, user);
    await tx.user.update({ where: { id: user.id }, data: { isInstanceAdmin: input.isInstanceAdmin } });
    const detail = { before: user.isInstanceAdmin, isInstanceAdmin: input.isInstanceAdmin };
    await recordAudit(tx, { actor, action: "person.change", object: objectOf(user), outcome: "ok", detail });
  });
  services.cache.clear();
}

/** Removes an account with its memberships, sessions and tokens. @throws conflict for oneself, the last instance administrator. */
export async function removePerson(services: ServiceContext, actor: Actor, id: string): Promise<void> {
  if (requireUser(actor).userId === id) throw new FlotillaError("conflict", "you cannot remove yourself");
  await services.prisma.$transaction(async (tx) => {
    await lockPeople(tx);
    const user = await findUser(tx, id);
    await requireAnotherAdmin(tx, user);
    await tx.user.delete({ where: { id } });
    await recordAudit(tx, { actor, action: "person.remove", object: objectOf(user), outcome: "ok" });
  });
  services.cache.clear();
}

/** Ends all sessions of a person, who is signed out everywhere within five seconds; their tokens stay. */
export async function endSessionsOf(services: ServiceContext, actor: Actor, id: string): Promise<{ ended: number }> {
  const ended = await services.prisma.$transaction(async (tx) => {
    const user = await findUser(tx, id);
    const { count } = await tx.session.deleteMany({ where: { userId: id } });
    await recordAudit(tx, { actor, action: "person.change", object: objectOf(user), outcome: "ok", detail: { sessionsEnded: count } });
    return count;
  });
  return { ended };
}

/** Takes the second factor away from who lost it; they are signed out everywhere. */
export async function resetTwoFactor(services: ServiceContext, actor: Actor, id: string): Promise<void> {
  await services.prisma.$transaction(async (tx) => {
    const user = await findUser(tx, id);
    await tx.twoFactor.deleteMany({ where: { userId: id } });
    await tx.session.deleteMany({ where: { userId: id } });
    await tx.user.update({ where: { id }, data: { twoFactorEnabled: false } });
    await recordAudit(tx, { actor, action: "person.change", object: objectOf(user), outcome: "ok", detail: { twoFactorReset: true } });
  });
  services.cache.clear();
}

async function requireAnotherAdmin(tx: Transaction, user: User): Promise<void> {
  if (!user.isInstanceAdmin) return;
  if ((await tx.user.count({ where: { isInstanceAdmin: true, id: { not: user.id } } })) === 0)
    throw new FlotillaError("conflict", "the last instance administrator stays: make somebody else one first");
}

async function findUser(tx: Transaction, id: string): Promise<User> {
  const user = await tx.user.findUnique({ where: { id } });
  if (user === null) throw notFound("person", id);
  return user;
}

function objectOf(user: User): ObjectRef {
  return { kind: "user", id: user.id, name: user.email, teamId: null };
}
