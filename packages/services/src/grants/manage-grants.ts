import { FlotillaError } from "@flotilla/core";
import { type HostGrant, Prisma, type Team, type Transaction } from "@flotilla/db";
import { type GuardLimits, guardLimits } from "@flotilla/protocol";
import { z } from "zod";
import { notFound } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import type { ObjectRef } from "../access/can.ts";
import { GRANTABLE_RIGHTS, listRights, type Right, toRights } from "../access/rights.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { limitsOf } from "../guards/find-guards.ts";
import { findHost, hostObject, type VisibleHost } from "../hosts/find-host.ts";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { notifyStacks } from "../stacks/stack-rows.ts";

const MAX_GRANTS = 200;

/** A host is shared by what a team may do there and how much of it; without limits it may use all of the host. */
export const grantInput = z.object({
  /** Slug of the team, as its people tell it. */
  team: z.string().trim().toLowerCase().min(1).max(64),
  rights: z.array(z.enum(GRANTABLE_RIGHTS as [Right, ...Right[]])).min(1, "choose what the team may do there"),
  limits: guardLimits,
});
export type GrantInput = z.output<typeof grantInput>;

export type GrantRow = {
  id: string;
  team: { name: string; slug: string };
  rights: Right[];
  limits: GuardLimits;
  createdBy: string;
  createdAt: string;
};

/** With which teams a host of the caller's team is shared. */
export async function listGrants(services: ServiceContext, actor: Actor, hostRef: string): Promise<GrantRow[]> {
  const host = await findHost(services, actor, hostRef);
  const rows = await services.prisma.hostGrant.findMany({
    where: { hostId: host.id },
    include: { team: true },
    orderBy: { createdAt: "asc" },
  });
  return rows.map(toGrantRow);
}

/**
 * Shares a host with another team, or changes what was granted. The host enforces limits by itself (`guard/<namespace>`).
 * @throws not_found for an unknown team, conflict for the host's own.
 */
export async function setGrant(services: ServiceContext, actor: Actor, input: GrantInput & { host: string }): Promise<{ id: string }> {
  const host = await findHost(services, actor, input.host);
  const id = await services.prisma.$transaction(async (tx) => {
    const team = await findGrantee(tx, host, input.team);
    const before = await tx.hostGrant.findUnique({ where: { hostId_teamId: { hostId: host.id, teamId: team.id } } });
    if (before === null && (await tx.hostGrant.count({ where: { hostId: host.id } })) >= MAX_GRANTS)
      throw new FlotillaError("exhausted", `a host is shared with at most ${MAX_GRANTS} teams`);
    const rights = listRights(new Set(input.rights));
    const data = { rights, ...toColumns(input.limits) };
    const row = await tx.hostGrant.upsert({
      where: { hostId_teamId: { hostId: host.id, teamId: team.id } },
      create: { hostId: host.id, teamId: team.id, createdBy: nameOf(actor), ...data },
      update: data,
    });
    const detail = {
      team: team.slug,
      rights: rights.join(" "),
      limits: JSON.stringify(input.limits),
      ...(before === null ? {} : { before: listRights(toRights(before.rights)).join(" "), limitsBefore: JSON.stringify(limitsOf(before)) }),
    };
    await recordAudit(tx, { actor, action: "grant.change", object: grantObject(row.id, host), outcome: "ok", detail });
    await notifyHostState(tx, { hostId: host.id });
    await notifyStacks(tx, team.id);
    return row.id;
  });
  services.cache.clear();
  return { id };
}

/**
 * Takes a grant back. The team does not see the host any more, and its open streams there end within five seconds; what runs
 * there goes on running.
 */
export async function removeGrant(services: ServiceContext, actor: Actor, input: { host: string; id: string }): Promise<void> {
  const host = await findHost(services, actor, input.host);
  await services.prisma.$transaction(async (tx) => {
    const found = await tx.hostGrant.findFirst({ where: { id: input.id, hostId: host.id }, include: { team: true } });
    if (found === null) throw notFound("grant", input.id);
    await tx.hostGrant.delete({ where: { id: found.id } });
    const detail = { team: found.team.slug };
    await recordAudit(tx, { actor, action: "grant.remove", object: grantObject(found.id, host), outcome: "ok", detail });
    await notifyHostState(tx, { hostId: host.id });
    await notifyStacks(tx, found.teamId);
  });
  services.cache.clear();
}

function toColumns(limits: GuardLimits) {
  return {
    maxContainers: limits.containers ?? null,
    maxCpus: limits.cpus ?? null,
    maxMemoryBytes: limits.memoryBytes === undefined ? null : BigInt(limits.memoryBytes),
    hostPorts: limits.hostPorts ?? Prisma.DbNull,
  };
}

function toGrantRow(row: HostGrant & { team: Team }): GrantRow {
  return {
    id: row.id,
    team: { name: row.team.name, slug: row.team.slug },
    rights: listRights(toRights(row.rights)),
    limits: limitsOf(row),
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
  };
}

async function findGrantee(tx: Transaction, host: VisibleHost, slug: string): Promise<Team> {
  const team = await tx.team.findFirst({ where: { slug, removedAt: null } });
  if (team === null) throw notFound("team", slug);
  if (team.id === host.teamId) throw new FlotillaError("conflict", "the host belongs to this team already");
  return team;
}

function grantObject(id: string, host: VisibleHost): ObjectRef {
  return { ...hostObject(host), kind: "grant", id };
}

function nameOf(actor: Actor): string {
  return actor.kind === "user" ? actor.email : actor.kind;
}
