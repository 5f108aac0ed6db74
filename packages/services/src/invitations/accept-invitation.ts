import { FlotillaError } from "@flotilla/core";
import { type Invitation, Prisma, type PrismaClient, type Team, type Transaction } from "@flotilla/db";
import type { Actor } from "../access/actor.ts";
import { recordRefusal } from "../access/authorize.ts";
import { hashToken } from "../access/secrets.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { lockPeople } from "../members/leave-team.ts";
import { makeAccount } from "../members/make-account.ts";
import { INSTANCE } from "../setup/complete-setup.ts";
import { invitationObject } from "./manage-invitations.ts";

export type InvitationView = {
  email: string;
  team: string;
  /** There is an account of this address: its owner signs in and accepts. Else a name and a password make one. */
  hasAccount: boolean;
};

type Found = Invitation & { team: Team };

/** What an invitation is for, to who has its link. @throws forbidden for a link that is not good, or not any more. */
export async function lookAtInvitation(services: ServiceContext, actor: Actor, token: string): Promise<InvitationView> {
  const found = await guarded(services, actor, () => findInvitation(services, services.prisma, token));
  const hasAccount = (await services.prisma.user.count({ where: { email: found.email } })) > 0;
  return { email: found.email, team: found.team.name, hasAccount };
}

/**
 * Joins the team: a new person by a name and a password, somebody with an account by being signed in with the very address that was
 * invited. An invitation is good once.
 * @throws forbidden for a link that is not good and for another person than was invited, unauthenticated, conflict.
 */
export async function acceptInvitation(
  services: ServiceContext,
  actor: Actor,
  input: { token: string; name?: string | undefined; password?: string | undefined },
): Promise<{ teamId: string }> {
  // Before the hash, which is made to be slow: a stranger must not be able to ask for many.
  await guarded(services, actor, () => findInvitation(services, services.prisma, input.token));
  const passwordHash = input.password === undefined ? undefined : await services.passwords.hash(input.password);
  const teamId = await guarded(services, actor, () =>
    services.prisma.$transaction(async (tx) => {
      await lockPeople(tx);
      const found = await findInvitation(services, tx, input.token);
      const account = await tx.user.findUnique({ where: { email: found.email } });
      const userId =
        account === null
          ? await makePerson(tx, { found, name: input.name, passwordHash })
          : await joinAs(tx, { found, actor, userId: account.id });
      await tx.invitation.delete({ where: { id: found.id } });
      const detail = { isNewAccount: account === null, role: found.role, userId };
      await recordAudit(tx, { actor, action: "invitation.accept", object: invitationObject(found), outcome: "ok", detail });
      return found.teamId;
    }),
  );
  services.cache.clear();
  return { teamId };
}

async function makePerson(
  tx: Transaction,
  { found, name, passwordHash }: { found: Found; name: string | undefined; passwordHash: string | undefined },
): Promise<string> {
  if (name === undefined || passwordHash === undefined)
    throw new FlotillaError("invalid", "choose a name and a password for the new account");
  const { email, teamId, role, roleId } = found;
  return (await makeAccount(tx, { name, email, passwordHash, teamId, role, roleId })).userId;
}

async function joinAs(tx: Transaction, { found, actor, userId }: { found: Found; actor: Actor; userId: string }): Promise<string> {
  if (actor.kind !== "user") throw new FlotillaError("unauthenticated", `sign in as ${found.email} to accept this invitation`);
  // A token could be a program's; a person accepts.
  if (actor.userId !== userId || actor.credential.kind !== "session")
    throw new FlotillaError("forbidden", `this invitation is for ${found.email}: sign in with that address`);
  const { teamId, role, roleId } = found;
  try {
    await tx.membership.create({ data: { userId, teamId, role, roleId } });
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002")
      throw new FlotillaError("conflict", `you are in the team ${found.team.name} already`);
    throw error;
  }
  return userId;
}

async function findInvitation(services: ServiceContext, db: PrismaClient | Transaction, token: string): Promise<Found> {
  const found = await db.invitation.findUnique({ where: { tokenHash: hashToken(token) }, include: { team: true } });
  if (found === null || found.expiresAt.getTime() <= services.nowMs() || found.team.removedAt !== null)
    throw new FlotillaError("forbidden", "this invitation is not valid, or not any more: ask for a new one");
  return found;
}

/** Attempts with a link that is not good are audited like other refusals. */
async function guarded<T>(services: ServiceContext, actor: Actor, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FlotillaError && error.code === "forbidden")
      await recordRefusal(services, actor, { action: "invitation.accept", object: INSTANCE, reason: error.code });
    throw error;
  }
}
