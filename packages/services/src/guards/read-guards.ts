import { SAFE_GUARD } from "@flotilla/protocol";
import { requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import type { ServiceContext } from "../context.ts";
import { findHost } from "../hosts/find-host.ts";
import { DEFAULT_GUARD_ID, findGuards, toGuard } from "./find-guards.ts";
import type { DefaultGuard, HostGuards } from "./schemas.ts";

/** What teams may do on a host. Others' guard rails are for those who look after the instance. @throws not_found. */
export async function readGuards(services: ServiceContext, actor: Actor, ref: string): Promise<HostGuards> {
  const user = requireUser(actor);
  const host = await findHost(services, actor, ref);
  const { teams, instanceDefault } = await services.prisma.$transaction(async (tx) => {
    const team = await tx.team.findUniqueOrThrow({ where: { id: host.teamId } });
    return findGuards(tx, [{ id: host.id, team }]);
  });
  const visible = (teams.get(host.id) ?? []).filter(({ team }) => user.isInstanceAdmin || team.id === user.team.id);
  return {
    teams: visible.map(({ team, guard, source, grantLimits }) => ({
      team: { id: team.id, name: team.name },
      ...guard,
      source,
      grantLimits,
    })),
    instanceDefault: user.isInstanceAdmin ? instanceDefault : null,
  };
}

/** What holds on every host for every team that has no guard rail of its own there; `isSet` false: nobody said anything, so Docker's defaults. */
export async function readDefaultGuard({ prisma }: ServiceContext): Promise<DefaultGuard> {
  const row = await prisma.guardRail.findUnique({ where: { id: DEFAULT_GUARD_ID } });
  return { guard: row === null ? SAFE_GUARD : toGuard(row), isSet: row !== null };
}
