import { timingSafeEqual } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import type { PrismaClient, Transaction } from "@flotilla/db";
import { type Actor, SYSTEM } from "../access/actor.ts";
import { recordRefusal } from "../access/authorize.ts";
import type { ObjectRef } from "../access/can.ts";
import { hashToken, makeSecret } from "../access/secrets.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { makeAccount } from "../members/make-account.ts";

export const INSTANCE: ObjectRef = { kind: "instance", id: "instance", name: "this Flotilla", teamId: null };

/** Key of the advisory lock under which the first administrator is made. */
const SETUP_LOCK = 7_420_001;

/** The first team works in the namespace of the local socket: `docker` on the host and the dashboard see the same containers. */
export const FIRST_NAMESPACE = "default";

/** The first team is there before its people: this machine's own agent may join before set-up. Idempotent. */
export async function ensureFirstTeam(services: ServiceContext): Promise<void> {
  await services.prisma.team.upsert({
    where: { namespace: FIRST_NAMESPACE },
    create: { name: "Team", slug: "team", namespace: FIRST_NAMESPACE },
    update: {},
  });
}

export async function needsSetup(services: ServiceContext): Promise<boolean> {
  return (await services.prisma.user.count()) === 0;
}

/**
 * Makes a new one-time set-up token, which replaces an older one; undefined when set-up is done. Only its digest is kept,
 * so each start that still needs set-up prints a link of its own.
 */
export async function issueSetupToken(services: ServiceContext): Promise<string | undefined> {
  if (!(await needsSetup(services))) return undefined;
  const token = makeSecret();
  const tokenHash = hashToken(token);
  await services.prisma.setupToken.upsert({
    where: { id: 1 },
    create: { id: 1, tokenHash },
    update: { tokenHash, createdAt: new Date(services.nowMs()) },
  });
  return token;
}

export type SetupInput = { token: string; name: string; email: string; password: string; teamName: string };

/**
 * Makes the first team and its administrator. Of several claims at once one wins; the token is gone with it.
 * @throws forbidden for a wrong token, conflict when set-up is done.
 */
export async function completeSetup(services: ServiceContext, actor: Actor, input: SetupInput): Promise<{ userId: string }> {
  try {
    // Also before the hash, which is made to be slow: a stranger must not be able to ask for many.
    await checkToken(services.prisma, input.token);
    const passwordHash = await services.passwords.hash(input.password);
    return await services.prisma.$transaction(async (tx) => {
      await lockSetup(tx);
      await checkToken(tx, input.token);
      return await makeFirstTeam(tx, actor, { ...input, passwordHash });
    });
  } catch (error) {
    await recordRefusal(services, actor, {
      action: "setup.complete",
      object: INSTANCE,
      reason: error instanceof FlotillaError ? error.code : "internal",
    });
    throw error;
  }
}

async function checkToken(db: PrismaClient | Transaction, token: string): Promise<void> {
  const row = await db.setupToken.findUnique({ where: { id: 1 } });
  if (row === null || !isSameDigest(row.tokenHash, hashToken(token)))
    throw new FlotillaError("forbidden", "this set-up link is not valid: use the newest one that the control plane printed");
}

/** Unattended first start: makes the administrator named by the environment; false when there is an account already. */
export async function setUpUnattended(
  services: ServiceContext,
  input: Omit<SetupInput, "token"> & { apiToken: string | undefined },
): Promise<boolean> {
  const passwordHash = await services.passwords.hash(input.password);
  return services.prisma.$transaction(async (tx) => {
    await lockSetup(tx);
    if ((await tx.user.count()) > 0) return false;
    const { userId, teamId } = await makeFirstTeam(tx, SYSTEM, { ...input, passwordHash });
    if (input.apiToken !== undefined) {
      const token = await tx.apiToken.create({ data: { teamId, userId, name: "first start", tokenHash: hashToken(input.apiToken) } });
      const object: ObjectRef = { kind: "token", id: token.id, name: "first start", teamId };
      await recordAudit(tx, { actor: SYSTEM, action: "token.create", object, outcome: "ok" });
    }
    return true;
  });
}

async function lockSetup(tx: Transaction): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${SETUP_LOCK}::bigint)`;
}

async function makeFirstTeam(
  tx: Transaction,
  actor: Actor,
  input: { name: string; email: string; passwordHash: string; teamName: string },
): Promise<{ userId: string; teamId: string }> {
  if ((await tx.user.count()) > 0) throw new FlotillaError("conflict", "this Flotilla is set up already: sign in");
  const team = await tx.team.update({ where: { namespace: FIRST_NAMESPACE }, data: { name: input.teamName } });
  const { userId } = await makeAccount(tx, {
    name: input.name,
    email: input.email,
    passwordHash: input.passwordHash,
    teamId: team.id,
    role: "owner",
    roleId: null,
    isInstanceAdmin: true,
  });
  await tx.setupToken.deleteMany();
  const object: ObjectRef = { kind: "member", id: userId, name: input.email, teamId: team.id };
  await recordAudit(tx, { actor, action: "setup.complete", object, outcome: "ok" });
  return { userId, teamId: team.id };
}

function isSameDigest(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
