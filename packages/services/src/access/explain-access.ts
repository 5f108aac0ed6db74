import type { ServiceContext } from "../context.ts";
import { findHost } from "../hosts/find-host.ts";
import type { Actor, RoleRef } from "./actor.ts";
import { notFound, requireUser } from "./authorize.ts";
import { type Explained, explainRights } from "./explain.ts";
import { readRole } from "./find-actor.ts";
import { toRights } from "./rights.ts";

export type AccessReport = {
  person: { id: string; name: string; email: string; isInstanceAdmin: boolean };
  team: { name: string };
  role: RoleRef | null;
  /** Null: everywhere in the team. */
  host: { id: string; name: string; isShared: boolean } | null;
  rights: Explained[];
};

/** What somebody of the caller's team can do in it, or on one of the hosts that it sees, and why. @throws not_found. */
export async function explainAccess(
  services: ServiceContext,
  actor: Actor,
  input: { person: string; host?: string | undefined },
): Promise<AccessReport> {
  const { team } = requireUser(actor);
  const where = { teamId_userId: { teamId: team.id, userId: input.person } };
  const found = await services.prisma.membership.findUnique({ where, include: { user: true, customRole: true, team: true } });
  if (found === null) throw notFound("member", input.person);
  const { user } = found;
  const { role, rights } = readRole(found);
  const host = input.host === undefined ? null : await findHost(services, actor, input.host);
  const isShared = host !== null && host.teamId !== team.id;
  const grant = isShared
    ? await services.prisma.hostGrant.findUnique({
        where: { hostId_teamId: { hostId: host.id, teamId: team.id } },
        include: { host: { include: { team: true } } },
      })
    : null;
  return {
    person: { id: user.id, name: user.name, email: user.email, isInstanceAdmin: user.isInstanceAdmin },
    team: { name: team.name },
    role,
    host: host === null ? null : { id: host.id, name: host.name, isShared },
    rights: explainRights({
      role,
      roleRights: rights,
      isInstanceAdmin: user.isInstanceAdmin,
      lacksTwoFactor: found.team.requiresTwoFactor && !user.twoFactorEnabled,
      ...(grant === null ? {} : { grant: { team: grant.host.team.name, rights: toRights(grant.rights) } }),
    }),
  };
}
