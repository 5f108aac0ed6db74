import { randomUUID } from "node:crypto";
import { formatJoinToken, hashSecret } from "@flotilla/protocol";
import { notFound, requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import { makeSecret } from "../access/secrets.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { FIRST_NAMESPACE } from "../setup/complete-setup.ts";

export type JoinTokenRow = { id: string; name: string | null; createdAt: string; expiresAt: string; uses: number; usesLeft: number };
export type NewJoinToken = {
  /** To paste on the machine, as root. */
  command: string;
  token: string;
  /** By which the machine will call. */
  controlUrl: string;
  /** That address means another machine everywhere else: no other host can join by it. */
  isLoopback: boolean;
  expiresAt: string;
};

/** Makes a token by which hosts may join the caller's team; its text is given out here and nowhere else. */
export async function createJoinToken(
  services: ServiceContext,
  actor: Actor,
  input: { name?: string | undefined; expiresInMinutes: number; uses: number },
): Promise<NewJoinToken> {
  const { team } = requireUser(actor);
  const id = randomUUID();
  const secret = makeSecret();
  const expiresAt = new Date(services.nowMs() + input.expiresInMinutes * 60_000);
  await services.prisma.$transaction(async (tx) => {
    await tx.joinToken.create({
      data: {
        id,
        teamId: team.id,
        name: input.name ?? null,
        tokenHash: hashSecret(secret),
        uses: input.uses,
        usesLeft: input.uses,
        expiresAt,
      },
    });
    const object = { kind: "joinToken" as const, id, name: input.name ?? "", teamId: team.id };
    await recordAudit(tx, {
      actor,
      action: "joinToken.create",
      object,
      outcome: "ok",
      detail: { uses: input.uses, expiresAt: expiresAt.toISOString() },
    });
  });
  const token = formatJoinToken({ id, secret, serverKey: services.serverKey });
  const { publicUrl: controlUrl } = services;
  const name = input.name === undefined ? "" : ` --name ${input.name}`;
  const command = `curl -fsSL ${controlUrl}/install.sh | sh -s -- --token ${token}${name}`;
  return { token, command, controlUrl, isLoopback: isLoopbackUrl(controlUrl), expiresAt: expiresAt.toISOString() };
}

const LOCAL_TOKEN_MINUTES = 10;

/**
 * A token for the agent of this very machine: whoever starts both owns both. It makes the host `local`, or gives it a
 * new key when the agent's data were lost; it replaces the token of an earlier start.
 */
export async function issueLocalJoinToken(services: ServiceContext): Promise<string> {
  const id = randomUUID();
  const secret = makeSecret();
  const expiresAt = new Date(services.nowMs() + LOCAL_TOKEN_MINUTES * 60_000);
  const team = await services.prisma.team.findUniqueOrThrow({ where: { namespace: FIRST_NAMESPACE } });
  await services.prisma.$transaction([
    services.prisma.joinToken.deleteMany({ where: { isLocal: true } }),
    services.prisma.joinToken.create({
      data: { id, teamId: team.id, name: "local", tokenHash: hashSecret(secret), isLocal: true, uses: 1, usesLeft: 1, expiresAt },
    }),
  ]);
  return formatJoinToken({ id, secret, serverKey: services.serverKey });
}

/** Tokens of the caller's team that can still be used. */
export async function listJoinTokens(services: ServiceContext, actor: Actor): Promise<JoinTokenRow[]> {
  const { team } = requireUser(actor);
  const rows = await services.prisma.joinToken.findMany({
    where: { teamId: team.id, isLocal: false, usesLeft: { gt: 0 }, expiresAt: { gt: new Date(services.nowMs()) } },
    orderBy: { createdAt: "desc" },
  });
  return rows.map(({ id, name, createdAt, expiresAt, uses, usesLeft }) => {
    return { id, name, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString(), uses, usesLeft };
  });
}

/** Makes a token useless at once. */
export async function revokeJoinToken(services: ServiceContext, actor: Actor, id: string): Promise<void> {
  const { team } = requireUser(actor);
  await services.prisma.$transaction(async (tx) => {
    const { count } = await tx.joinToken.deleteMany({ where: { id, teamId: team.id } });
    if (count === 0) throw notFound("join token", id);
    await recordAudit(tx, {
      actor,
      action: "joinToken.revoke",
      object: { kind: "joinToken", id, name: "", teamId: team.id },
      outcome: "ok",
    });
  });
}

function isLoopbackUrl(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
