import { randomUUID } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import { Prisma } from "@flotilla/db";
import { z } from "zod";
import { findAssignableRole } from "../access/assign.ts";
import type { Actor, RoleRef, UserActor } from "../access/actor.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import type { ObjectRef } from "../access/can.ts";
import { readRole } from "../access/find-actor.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { endToken, makeToken, type NewToken, newToken, readTokens, type TokenRow } from "../tokens/manage-tokens.ts";

/** A name that is part of an address in the audit: `ci@harbour.service`. */
const accountName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be small letters, digits and -, and begin with a letter or digit");
const accountId = z.string().min(1).max(64);
/** `role`: the name of a built-in role, or the id of one that the team made. */
export const newServiceAccount = z.object({ name: accountName, role: z.string().min(1).max(64) });
export const serviceAccountRef = z.object({ id: accountId });
export const newServiceToken = newToken.extend({ id: accountId });
export const serviceTokenRef = z.object({ id: accountId, tokenId: accountId });

export type ServiceAccountRow = { id: string; name: string; role: RoleRef; createdAt: string; tokens: TokenRow[] };

/** Accounts of the team that programs act as, each with its tokens. */
export async function listServiceAccounts(services: ServiceContext, actor: Actor): Promise<ServiceAccountRow[]> {
  const { team } = requireUser(actor);
  const rows = await services.prisma.membership.findMany({
    where: { teamId: team.id, user: { isService: true } },
    include: { user: true, customRole: true },
    orderBy: { user: { name: "asc" } },
  });
  return Promise.all(
    rows.map(async ({ user, role, customRole }) => ({
      id: user.id,
      name: user.name,
      role: readRole({ role, customRole }).role,
      createdAt: user.createdAt.toISOString(),
      tokens: await readTokens(services, { userId: user.id, teamId: team.id }),
    })),
  );
}

/**
 * Makes an account that acts by tokens alone: it has no password and no session.
 * @throws conflict when the name is taken; forbidden for a role with rights that the maker has not.
 */
export async function createServiceAccount(
  services: ServiceContext,
  actor: Actor,
  input: z.output<typeof newServiceAccount>,
): Promise<{ id: string }> {
  const user = requireUser(actor);
  const { team } = user;
  const id = randomUUID();
  try {
    await services.prisma.$transaction(async (tx) => {
      const { role, roleId } = await findAssignableRole(tx, user, input.role);
      await tx.user.create({ data: { id, name: input.name, email: `${input.name}@${team.slug}.service`, isService: true } });
      await tx.membership.create({ data: { userId: id, teamId: team.id, role, roleId } });
      await recordAudit(tx, {
        actor,
        action: "serviceAccount.create",
        object: objectOf(user, { id, name: input.name }),
        outcome: "ok",
        detail: { role: input.role },
      });
    });
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002")
      throw new FlotillaError("conflict", `there is a service account ${input.name} already`);
    throw error;
  }
  return { id };
}

/** Removes an account with its tokens; its open streams end within five seconds. @throws not_found */
export async function removeServiceAccount(services: ServiceContext, actor: Actor, id: string): Promise<void> {
  const user = requireUser(actor);
  const account = await findAccount(services, user, id);
  await services.prisma.$transaction(async (tx) => {
    await tx.user.delete({ where: { id } });
    await recordAudit(tx, { actor, action: "serviceAccount.remove", object: objectOf(user, account), outcome: "ok" });
  });
  services.cache.clear();
}

/** A token of an account; its text is given out here and nowhere else. @throws not_found, forbidden */
export async function createServiceToken(
  services: ServiceContext,
  actor: Actor,
  { id, ...token }: NewToken & { id: string },
): Promise<{ id: string; token: string }> {
  const user = requireUser(actor);
  const account = await findAccount(services, user, id);
  return makeToken(services, user, { ...token, userId: account.id });
}

/** @throws not_found */
export async function revokeServiceToken(services: ServiceContext, actor: Actor, ref: z.output<typeof serviceTokenRef>): Promise<void> {
  const user = requireUser(actor);
  const account = await findAccount(services, user, ref.id);
  await services.prisma.$transaction((tx) => endToken(tx, user, { id: ref.tokenId, userId: account.id }));
  services.cache.clear();
}

/** An account as the object of an action. @throws not_found, also for those of other teams. */
export async function serviceAccountObject(services: ServiceContext, actor: Actor, id: string): Promise<ObjectRef> {
  const user = requireUser(actor);
  return objectOf(user, await findAccount(services, user, id));
}

async function findAccount(services: ServiceContext, actor: UserActor, id: string): Promise<{ id: string; name: string }> {
  const row = await services.prisma.user.findFirst({
    where: { id, isService: true, memberships: { some: { teamId: actor.team.id } } },
    select: { id: true, name: true },
  });
  if (row === null) throw notFound("service account", id);
  return row;
}

function objectOf(actor: UserActor, { id, name }: { id: string; name: string }): ObjectRef {
  return { kind: "serviceAccount", id, name, teamId: actor.team.id };
}
