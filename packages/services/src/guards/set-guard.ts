import { FlotillaError } from "@flotilla/core";
import type { Transaction } from "@flotilla/db";
import type { Guard } from "@flotilla/protocol";
import type { Actor, UserActor } from "../access/actor.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import type { ObjectRef } from "../access/can.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { findHost, hostObject } from "../hosts/find-host.ts";
import { DEFAULT_GUARD_ID, guardId } from "./find-guards.ts";
import type { GuardTarget, SetGuardInput } from "./schemas.ts";

/** A host's guard rail, or the instance's default one, as the object of an action. @throws not_found. */
export async function guardObject(services: ServiceContext, actor: Actor, { host }: GuardTarget): Promise<ObjectRef> {
  if (host === undefined) return { kind: "instance", id: "instance", name: "this Flotilla", teamId: null };
  return hostObject(await findHost(services, actor, host));
}

/** Says what a team may do on a host from now on; what runs goes on. @throws not_found for a team that has nothing there. */
export async function setGuard(services: ServiceContext, actor: Actor, input: SetGuardInput): Promise<void> {
  const user = requireUser(actor);
  const { limits, allow } = input;
  await change(services, user, {
    target: input,
    guard: { limits, allow },
    write: async (tx, row) => {
      const data = { limits, allow, updatedBy: user.userId };
      await tx.guardRail.upsert({ where: { id: row.id }, create: { ...row, ...data }, update: data });
    },
  });
}

/** Takes a guard rail away: what holds then is the instance's default, and without one what Docker gives to everybody. */
export async function resetGuard(services: ServiceContext, actor: Actor, target: GuardTarget): Promise<void> {
  const write = async (tx: Transaction, row: Row): Promise<void> => void (await tx.guardRail.deleteMany({ where: { id: row.id } }));
  await change(services, requireUser(actor), { target, guard: null, write });
}

type Row = { id: string; hostId: string | null; teamId: string | null };
type Change = { target: GuardTarget; guard: Guard | null; write: (tx: Transaction, row: Row) => Promise<void> };

async function change(services: ServiceContext, user: UserActor, { target, guard, write }: Change): Promise<void> {
  const object = await guardObject(services, user, target);
  const row = await rowOf(services, user, target);
  await services.prisma.$transaction(async (tx) => {
    await write(tx, row);
    const detail = { guard: row.id, ...describe(guard) };
    await recordAudit(tx, { actor: user, action: "guard.change", object, outcome: "ok", detail });
    await notifyHostState(tx, row.hostId === null ? "all" : { hostId: row.hostId });
  });
}

async function rowOf(services: ServiceContext, user: UserActor, target: GuardTarget): Promise<Row> {
  if (target.host === undefined) {
    if (target.team !== undefined) throw new FlotillaError("invalid", "a guard rail for a team is one of a host: name the host");
    return { id: DEFAULT_GUARD_ID, hostId: null, teamId: null };
  }
  const host = await findHost(services, user, target.host);
  const teamId = target.team ?? user.team.id;
  const uses = host.teamId === teamId || (await services.prisma.hostGrant.count({ where: { hostId: host.id, teamId } })) > 0;
  if (!uses) throw notFound("team", teamId);
  return { id: guardId(host.id, teamId), hostId: host.id, teamId };
}

/** For the audit: everything that is allowed or limited, and nothing that is not. */
function describe(guard: Guard | null): Record<string, string> {
  if (guard === null) return { reset: "true" };
  const { limits, allow } = guard;
  const allowed = Object.entries(allow).filter(([, value]) => value === true || (Array.isArray(value) && value.length > 0));
  const told = allowed.map(([name, value]) => (Array.isArray(value) ? `${name}: ${value.join(" ")}` : name));
  return { allow: told.join(", ").slice(0, 2_000), limits: JSON.stringify(limits) };
}
