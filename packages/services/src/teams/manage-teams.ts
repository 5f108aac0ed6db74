import { randomBytes } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import { Prisma, type Team, type Transaction } from "@flotilla/db";
import { z } from "zod";
import { notFound } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import type { ObjectRef } from "../access/can.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { lockPeople } from "../members/leave-team.ts";
import { FIRST_NAMESPACE } from "../setup/complete-setup.ts";

export const teamName = z.string().trim().min(1).max(100);
/** First part of the names of the team's repositories. It never changes: image references have it. */
export const teamSlug = z
  .string()
  .max(40)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be small letters, digits and single hyphens");

export type TeamRow = {
  id: string;
  name: string;
  slug: string;
  namespace: string;
  createdAt: string;
  requiresTwoFactor: boolean;
  members: number;
  hosts: number;
  sharedHosts: number;
  stacks: number;
  repositories: number;
};

const counted = {
  _count: { select: { memberships: true, hosts: true, hostGrants: true, stacks: true, registryRepositories: true } },
} as const;

/** Every team of the instance, by name. */
export async function listTeams(services: ServiceContext): Promise<TeamRow[]> {
  const rows = await services.prisma.team.findMany({
    where: { removedAt: null },
    include: counted,
    orderBy: [{ name: "asc" }, { id: "asc" }],
  });
  return rows.map(({ id, name, slug, namespace, createdAt, requiresTwoFactor, _count }) => ({
    id,
    name,
    slug,
    namespace,
    createdAt: createdAt.toISOString(),
    requiresTwoFactor,
    members: _count.memberships,
    hosts: _count.hosts,
    sharedHosts: _count.hostGrants,
    stacks: _count.stacks,
    repositories: _count.registryRepositories,
  }));
}

/**
 * Makes a team without people: an instance administrator acts in it as an owner and invites the first. Its namespace is random,
 * so that no later team of the same name ever meets what an earlier one left on a host (attack 25).
 * @throws conflict for a slug that is taken.
 */
export async function createTeam(services: ServiceContext, actor: Actor, input: { name: string; slug: string }): Promise<{ id: string }> {
  try {
    return await services.prisma.$transaction(async (tx) => {
      const namespace = `t-${randomBytes(6).toString("hex")}`;
      const team = await tx.team.create({ data: { name: input.name, slug: input.slug, namespace } });
      await recordAudit(tx, {
        actor,
        action: "team.create",
        object: objectOf(team),
        outcome: "ok",
        detail: { slug: team.slug, namespace },
      });
      return { id: team.id };
    });
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002")
      throw new FlotillaError("conflict", `there is a team ${input.slug} already`);
    throw error;
  }
}

/** Another name, and whether people need a second factor there. */
export async function updateTeam(
  services: ServiceContext,
  actor: Actor,
  input: { id: string; name?: string | undefined; requiresTwoFactor?: boolean | undefined },
): Promise<void> {
  await services.prisma.$transaction(async (tx) => {
    const team = await findTeamRow(tx, input.id);
    const data = {
      ...(input.name === undefined ? {} : { name: input.name }),
      ...(input.requiresTwoFactor === undefined ? {} : { requiresTwoFactor: input.requiresTwoFactor }),
    };
    await tx.team.update({ where: { id: team.id }, data });
    const detail = { nameBefore: team.name, requiresTwoFactorBefore: team.requiresTwoFactor, ...data };
    await recordAudit(tx, { actor, action: "team.update", object: objectOf(team), outcome: "ok", detail });
  });
  services.cache.clear();
}

/**
 * Removes a team that has nothing left: no hosts, stacks, repositories, networks. Its people leave it, its tokens and grants end.
 * The row stays for the audit; its slug is free again, its namespace is never given to another team.
 * @throws conflict while there is something left, and for the first team.
 */
export async function removeTeam(services: ServiceContext, actor: Actor, id: string): Promise<void> {
  await services.prisma.$transaction(async (tx) => {
    await lockPeople(tx);
    const team = await findTeamRow(tx, id);
    if (team.namespace === FIRST_NAMESPACE)
      throw new FlotillaError("conflict", "the first team has the containers of this machine and stays");
    await requireEmpty(tx, team);
    await tx.hostGrant.deleteMany({ where: { teamId: id } });
    await tx.apiToken.deleteMany({ where: { teamId: id } });
    await tx.joinToken.deleteMany({ where: { teamId: id } });
    await tx.invitation.deleteMany({ where: { teamId: id } });
    await tx.session.updateMany({ where: { activeTeamId: id }, data: { activeTeamId: null } });
    await tx.membership.deleteMany({ where: { teamId: id } });
    await tx.teamRole.deleteMany({ where: { teamId: id } });
    await tx.user.deleteMany({ where: { isInstanceAdmin: false, memberships: { none: {} } } });
    await tx.team.update({ where: { id }, data: { removedAt: new Date(services.nowMs()), slug: `removed-${id}` } });
    await recordAudit(tx, { actor, action: "team.remove", object: objectOf(team), outcome: "ok", detail: { slug: team.slug } });
  });
  services.cache.clear();
}

async function requireEmpty(tx: Transaction, { id, name }: Team): Promise<void> {
  const where = { where: { teamId: id } };
  const left = {
    hosts: await tx.host.count(where),
    stacks: await tx.stack.count(where),
    repositories: await tx.registryRepository.count(where),
    "registries that it copies from": await tx.registryUpstream.count(where),
    networks: await tx.overlayNetwork.count(where),
    "secrets and configs": await tx.stackFile.count(where),
  };
  const found = Object.entries(left).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
  if (found.length > 0) throw new FlotillaError("conflict", `team ${name} still has ${found.join(", ")}: remove them first`);
}

async function findTeamRow(tx: Transaction, id: string): Promise<Team> {
  const team = await tx.team.findFirst({ where: { id, removedAt: null } });
  if (team === null) throw notFound("team", id);
  return team;
}

function objectOf({ id, name }: Team): ObjectRef {
  return { kind: "team", id, name, teamId: id };
}
