import { FlotillaError } from "@flotilla/core";
import type { ApiToken, Transaction } from "@flotilla/db";
import { z } from "zod";
import { notFound, requireUser } from "../access/authorize.ts";
import type { Actor, UserActor } from "../access/actor.ts";
import { requireOwn } from "../access/assign.ts";
import { RIGHTS, type Right } from "../access/rights.ts";
import { API_TOKEN_PREFIX, hashToken, makeSecret } from "../access/secrets.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { findHost } from "../hosts/find-host.ts";
import { hostRef } from "../hosts/schemas.ts";

const DAY_MS = 86_400_000;
const MAX_TOKENS = 100;

/** `rights` and `hosts` null: all that its person or service account has, now and later. */
export const newToken = z.object({
  name: z.string().trim().min(1).max(100),
  expiresInDays: z.int().min(1).max(3650).nullable(),
  rights: z
    .array(z.enum(RIGHTS as [Right, ...Right[]]))
    .min(1)
    .max(RIGHTS.length)
    .nullable()
    .default(null),
  hosts: z.array(hostRef).min(1).max(500).nullable().default(null),
});
export type NewToken = z.input<typeof newToken>;

export type TokenRow = {
  id: string;
  name: string;
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  lastUsedAddress: string | null;
  /** null: all that its owner has. */
  rights: string[] | null;
  /** Names of hosts, or ids of those that are gone; null: all. */
  hosts: string[] | null;
};

/** Makes an API token that acts as the caller. Its text is given out here and nowhere else; the database keeps its digest. */
export async function createToken(services: ServiceContext, actor: Actor, input: NewToken): Promise<{ id: string; token: string }> {
  return makeToken(services, requireUser(actor), { ...input, userId: requireUser(actor).userId });
}

/** A token of the caller, or of a service account that they may manage. No token has a right that its maker has not. */
export async function makeToken(
  services: ServiceContext,
  actor: UserActor,
  { userId, name, expiresInDays, rights = null, hosts = null }: NewToken & { userId: string },
): Promise<{ id: string; token: string }> {
  requireOwn(actor, rights ?? []);
  const hostIds = hosts === null ? [] : (await Promise.all(hosts.map((ref) => findHost(services, actor, ref)))).map((host) => host.id);
  const token = `${API_TOKEN_PREFIX}${makeSecret()}`;
  const expiresAt = expiresInDays === null ? null : new Date(services.nowMs() + expiresInDays * DAY_MS);
  const id = await services.prisma.$transaction(async (tx) => {
    if ((await tx.apiToken.count({ where: { userId } })) >= MAX_TOKENS) {
      throw new FlotillaError("exhausted", `there are ${MAX_TOKENS} tokens already: revoke one first`);
    }
    const scope = { hasAllRights: rights === null, rights: [...new Set(rights ?? [])], hasAllHosts: hosts === null, hostIds };
    const row = await tx.apiToken.create({
      data: { teamId: actor.team.id, userId, name, tokenHash: hashToken(token), expiresAt, ...scope },
    });
    const object = { kind: "token" as const, id: row.id, name, teamId: actor.team.id };
    const detail = {
      expiresAt: expiresAt?.toISOString() ?? null,
      rights: rights?.join(", ") ?? "all",
      hosts: hosts?.join(", ") ?? "all",
      ...(userId === actor.userId ? {} : { serviceAccount: userId }),
    };
    await recordAudit(tx, { actor, action: "token.create", object, outcome: "ok", detail });
    return row.id;
  });
  return { id, token };
}

/** The caller's tokens, newest first; never their text. */
export async function listTokens(services: ServiceContext, actor: Actor): Promise<TokenRow[]> {
  const user = requireUser(actor);
  return readTokens(services, { userId: user.userId, teamId: user.team.id });
}

/** Tokens of a person or service account in a team. */
export async function readTokens(services: ServiceContext, of: { userId: string; teamId: string }): Promise<TokenRow[]> {
  const rows = await services.prisma.apiToken.findMany({ where: of, orderBy: { createdAt: "desc" } });
  const ids = [...new Set(rows.flatMap((row) => row.hostIds))];
  const hosts =
    ids.length === 0 ? [] : await services.prisma.host.findMany({ where: { id: { in: ids } }, select: { id: true, name: true } });
  const names = new Map(hosts.map((host) => [host.id, host.name]));
  return rows.map((row) => toTokenRow(row, names));
}

function toTokenRow(row: ApiToken, hostNames: ReadonlyMap<string, string>): TokenRow {
  return {
    id: row.id,
    name: row.name,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    lastUsedAddress: row.lastUsedAddress,
    rights: row.hasAllRights ? null : row.rights,
    hosts: row.hasAllHosts ? null : row.hostIds.map((id) => hostNames.get(id) ?? id),
  };
}

/** Ends one of the caller's tokens; streams that it opened are closed within five seconds. */
export async function revokeToken(services: ServiceContext, actor: Actor, id: string): Promise<void> {
  const user = requireUser(actor);
  await services.prisma.$transaction((tx) => endToken(tx, user, { id, userId: user.userId }));
  services.cache.clear();
}

/** @throws not_found */
export async function endToken(tx: Transaction, actor: UserActor, { id, userId }: { id: string; userId: string }): Promise<void> {
  const row = await tx.apiToken.findFirst({ where: { id, userId, teamId: actor.team.id } });
  if (row === null) throw notFound("token", id);
  await tx.apiToken.delete({ where: { id } });
  const object = { kind: "token" as const, id, name: row.name, teamId: actor.team.id };
  await recordAudit(tx, { actor, action: "token.revoke", object, outcome: "ok" });
}
