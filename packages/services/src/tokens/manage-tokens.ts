import { FlotillaError } from "@flotilla/core";
import { notFound, requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import { hashToken, makeSecret } from "../access/secrets.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";

export const API_TOKEN_PREFIX = "flt_";
const DAY_MS = 86_400_000;
const MAX_TOKENS = 100;

export type TokenRow = { id: string; name: string; createdAt: string; expiresAt: string | null; lastUsedAt: string | null };

/** Makes an API token that acts as the caller. Its text is given out here and nowhere else; the database keeps its digest. */
export async function createToken(
  services: ServiceContext,
  actor: Actor,
  input: { name: string; expiresInDays: number | null },
): Promise<{ id: string; token: string }> {
  const user = requireUser(actor);
  const token = `${API_TOKEN_PREFIX}${makeSecret()}`;
  const expiresAt = input.expiresInDays === null ? null : new Date(services.nowMs() + input.expiresInDays * DAY_MS);
  const id = await services.prisma.$transaction(async (tx) => {
    if ((await tx.apiToken.count({ where: { userId: user.userId } })) >= MAX_TOKENS) {
      throw new FlotillaError("exhausted", `you have ${MAX_TOKENS} tokens already: revoke one first`);
    }
    const row = await tx.apiToken.create({
      data: { teamId: user.team.id, userId: user.userId, name: input.name, tokenHash: hashToken(token), expiresAt },
    });
    const object = { kind: "token" as const, id: row.id, name: input.name, teamId: user.team.id };
    await recordAudit(tx, {
      actor,
      action: "token.create",
      object,
      outcome: "ok",
      detail: { expiresAt: expiresAt?.toISOString() ?? null },
    });
    return row.id;
  });
  return { id, token };
}

/** The caller's tokens, newest first; never their text. */
export async function listTokens(services: ServiceContext, actor: Actor): Promise<TokenRow[]> {
  const user = requireUser(actor);
  const rows = await services.prisma.apiToken.findMany({
    where: { userId: user.userId, teamId: user.team.id },
    orderBy: { createdAt: "desc" },
  });
  return rows.map(({ id, name, createdAt, expiresAt, lastUsedAt }) => {
    return {
      id,
      name,
      createdAt: createdAt.toISOString(),
      expiresAt: expiresAt?.toISOString() ?? null,
      lastUsedAt: lastUsedAt?.toISOString() ?? null,
    };
  });
}

/** Ends one of the caller's tokens; streams that it opened are closed within five seconds. */
export async function revokeToken(services: ServiceContext, actor: Actor, id: string): Promise<void> {
  const user = requireUser(actor);
  await services.prisma.$transaction(async (tx) => {
    const row = await tx.apiToken.findFirst({ where: { id, userId: user.userId, teamId: user.team.id } });
    if (row === null) throw notFound("token", id);
    await tx.apiToken.delete({ where: { id } });
    await recordAudit(tx, {
      actor,
      action: "token.revoke",
      object: { kind: "token", id, name: row.name, teamId: user.team.id },
      outcome: "ok",
    });
  });
  services.cache.clear();
}
