import { notFound, requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";

export type SessionRow = {
  id: string;
  createdAt: string;
  lastSeenAt: string;
  expiresAt: string;
  address: string | null;
  userAgent: string | null;
  /** The one that asks. */
  isCurrent: boolean;
};

/** Where the caller is signed in, newest first; never by the secret of a session. */
export async function listSessions(services: ServiceContext, actor: Actor): Promise<SessionRow[]> {
  const { userId, credential } = requireUser(actor);
  const rows = await services.prisma.session.findMany({
    where: { userId, expiresAt: { gt: new Date(services.nowMs()) } },
    orderBy: { createdAt: "desc" },
  });
  return rows.map((row) => ({
    id: row.id,
    createdAt: row.createdAt.toISOString(),
    lastSeenAt: row.updatedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    address: row.ipAddress,
    userAgent: row.userAgent,
    isCurrent: credential.kind === "session" && credential.id === row.id,
  }));
}

/** Signs the caller out in one place: its open pages and terminals end within five seconds. */
export async function revokeSession(services: ServiceContext, actor: Actor, id: string): Promise<void> {
  const user = requireUser(actor);
  await services.prisma.$transaction(async (tx) => {
    const { count } = await tx.session.deleteMany({ where: { id, userId: user.userId } });
    if (count === 0) throw notFound("session", id);
    const object = { kind: "session" as const, id, name: user.email, teamId: user.team.id };
    await recordAudit(tx, { actor, action: "session.revoke", object, outcome: "ok" });
  });
}
