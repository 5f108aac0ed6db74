import { requireUser } from "../access/authorize.ts";
import type { Actor, RoleRef } from "../access/actor.ts";
import { listRights, type Right } from "../access/rights.ts";
import { difference } from "../audit/difference.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";

export type Me = {
  /** `role` is null for an instance administrator who is no member of the team. */
  user: { id: string; name: string; email: string; role: RoleRef | null; isInstanceAdmin: boolean };
  team: { id: string; name: string; slug: string };
  /** What they may do in the team, so that pages offer nothing else. */
  rights: Right[];
  version: string;
};

export function getMe(services: ServiceContext, actor: Actor): Me {
  const { userId, name, email, role, isInstanceAdmin, team, rights } = requireUser(actor);
  return {
    user: { id: userId, name, email, role, isInstanceAdmin },
    team: { id: team.id, name: team.name, slug: team.slug },
    rights: listRights(rights),
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
