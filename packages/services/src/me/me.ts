import { FlotillaError } from "@flotilla/core";
import { notFound, requireUser } from "../access/authorize.ts";
import type { Actor, RoleRef } from "../access/actor.ts";
import { listRights, type Right } from "../access/rights.ts";
import { difference } from "../audit/difference.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";

export type Me = {
  /** `role` is null for an instance administrator who is no member of the team. */
  user: { id: string; name: string; email: string; role: RoleRef | null; isInstanceAdmin: boolean; hasTwoFactor: boolean };
  /** The team that they act for now. */
  team: { id: string; name: string; slug: string };
  /** The teams that they can act for. */
  teams: { id: string; name: string; slug: string }[];
  /** The team demands a second factor, and they have none: they may do nothing there until they do. */
  lacksTwoFactor: boolean;
  /** What they may do in the team, so that pages offer nothing else. */
  rights: Right[];
  /** Hosts that other teams share with this one: both their rights and `rights` are needed for what lies there. */
  lent: { id: string; name: string; rights: Right[] }[];
  version: string;
};

const MAX_TEAMS = 500;
const brief = { id: true, name: true, slug: true } as const;

export async function getMe(services: ServiceContext, actor: Actor): Promise<Me> {
  const { userId, name, email, role, isInstanceAdmin, team, rights, grants, lacksTwoFactor } = requireUser(actor);
  const mine = isInstanceAdmin ? {} : { memberships: { some: { userId } } };
  const where = { removedAt: null, ...mine };
  const [teams, { twoFactorEnabled: hasTwoFactor }, hosts] = await Promise.all([
    services.prisma.team.findMany({ where, select: brief, orderBy: { name: "asc" }, take: MAX_TEAMS }),
    services.prisma.user.findUniqueOrThrow({ where: { id: userId }, select: { twoFactorEnabled: true } }),
    grants.size === 0 ? [] : services.prisma.host.findMany({ where: { id: { in: [...grants.keys()] } }, select: { id: true, name: true } }),
  ]);
  return {
    user: { id: userId, name, email, role, isInstanceAdmin, hasTwoFactor },
    team: { id: team.id, name: team.name, slug: team.slug },
    teams,
    lacksTwoFactor,
    rights: listRights(rights),
    lent: hosts.map((host) => ({ ...host, rights: listRights(grants.get(host.id) ?? new Set()) })),
    version: services.version,
  };
}

export async function updateMe(services: ServiceContext, actor: Actor, input: { name: string }): Promise<void> {
  const user = requireUser(actor);
  await services.prisma.$transaction(async (tx) => {
    await tx.user.update({ where: { id: user.userId }, data: { name: input.name } });
    const object = { kind: "user" as const, id: user.userId, name: user.email, teamId: user.team.id };
    await recordAudit(tx, {
      actor,
      action: "me.update",
      object,
      outcome: "ok",
      changes: difference({ name: user.name }, { name: input.name }),
    });
  });
  services.cache.clear();
}

/**
 * Makes the session act for another of the caller's teams; its open streams of the old one end within five seconds.
 * @throws not_found for a team that is not theirs, conflict for a token, which is of one team.
 */
export async function switchTeam(services: ServiceContext, actor: Actor, teamId: string): Promise<void> {
  const user = requireUser(actor);
  const { credential } = user;
  if (credential.kind !== "session") throw new FlotillaError("conflict", "a token is of one team: make another one there");
  await services.prisma.$transaction(async (tx) => {
    const mine = user.isInstanceAdmin ? {} : { memberships: { some: { userId: user.userId } } };
    const team = await tx.team.findFirst({ where: { id: teamId, removedAt: null, ...mine } });
    if (team === null) throw notFound("team", teamId);
    await tx.session.update({ where: { id: credential.id }, data: { activeTeamId: team.id } });
    const object = { kind: "user" as const, id: user.userId, name: user.email, teamId: user.team.id };
    await recordAudit(tx, { actor, action: "me.switchTeam", object, outcome: "ok", detail: { team: team.slug } });
  });
}
