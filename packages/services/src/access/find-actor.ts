import type { ServiceContext } from "../context.ts";
import { API_TOKEN_PREFIX } from "../tokens/manage-tokens.ts";
import { ROLES, type Credential, type UserActor } from "./actor.ts";
import { hashToken } from "./secrets.ts";

/** `last used` is written at most this often, so that a busy token does not cost a write for each call. */
const LAST_USED_STEP_MS = 60_000;
const MAX_TOKEN_LENGTH = 128;

const memberships = { include: { team: true }, orderBy: { createdAt: "asc" }, take: 1 } as const;

type MemberUser = { id: string; name: string; email: string; memberships: { role: string; team: UserActor["team"] }[] };

/** The person behind an API token, or undefined when it is unknown or expired. */
export async function findActorByToken(services: ServiceContext, token: string, address: string | null): Promise<UserActor | undefined> {
  if (!token.startsWith(API_TOKEN_PREFIX) || token.length > MAX_TOKEN_LENGTH) return undefined;
  const tokenHash = hashToken(token);
  const actor = await services.cache.get(`token ${tokenHash}`, () => lookUpToken(services, tokenHash));
  return actor === undefined ? undefined : { ...actor, address };
}

async function lookUpToken(services: ServiceContext, tokenHash: string): Promise<UserActor | undefined> {
  const row = await services.prisma.apiToken.findUnique({ where: { tokenHash }, include: { user: { include: { memberships } } } });
  const now = services.nowMs();
  if (row === null || (row.expiresAt !== null && row.expiresAt.getTime() <= now)) return undefined;
  if (row.lastUsedAt === null || now - row.lastUsedAt.getTime() > LAST_USED_STEP_MS) {
    await services.prisma.apiToken.updateMany({ where: { id: row.id }, data: { lastUsedAt: new Date(now) } });
  }
  return toActor(row.user, { kind: "token", id: row.id }, null);
}

/**
 * The person of an e-mail address and password, or undefined. The caller bounds the attempts. An unknown address costs as
 * much time as a wrong password.
 */
export async function findActorByPassword(
  services: ServiceContext,
  { email, password }: { email: string; password: string },
  address: string | null,
): Promise<UserActor | undefined> {
  const account = await services.prisma.account.findFirst({
    where: { providerId: "credential", user: { email: email.toLowerCase() } },
    include: { user: { include: { memberships } } },
  });
  if (account === null || account.password === null) {
    await services.passwords.hash(password);
    return undefined;
  }
  if (!(await services.passwords.verify(password, account.password))) return undefined;
  return toActor(account.user, { kind: "password", id: account.userId }, address);
}

/** The person behind a session of the dashboard, or undefined when it ended. `sessionId` comes from better-auth. */
export async function findActorBySession(
  services: ServiceContext,
  sessionId: string,
  address: string | null,
): Promise<UserActor | undefined> {
  const row = await services.prisma.session.findUnique({ where: { id: sessionId }, include: { user: { include: { memberships } } } });
  if (row === null || row.expiresAt.getTime() <= services.nowMs()) return undefined;
  return toActor(row.user, { kind: "session", id: sessionId }, address);
}

/** The person of an account whose password was just proven: for what is recorded of a sign-in. Undefined when they are in no team. */
export async function findActorByEmail(services: ServiceContext, email: string, address: string | null): Promise<UserActor | undefined> {
  const user = await services.prisma.user.findUnique({ where: { email: email.toLowerCase() }, include: { memberships } });
  return user === null ? undefined : toActor(user, { kind: "session", id: "sign-in" }, address);
}

/** Looks a caller up again: undefined once the session, token, person or membership is gone. */
export async function refreshActor(services: ServiceContext, actor: UserActor): Promise<UserActor | undefined> {
  if (actor.credential.kind === "session") return findActorBySession(services, actor.credential.id, actor.address);
  if (actor.credential.kind === "password") {
    const user = await services.prisma.user.findUnique({ where: { id: actor.credential.id }, include: { memberships } });
    return user === null ? undefined : toActor(user, actor.credential, actor.address);
  }
  const row = await services.prisma.apiToken.findUnique({
    where: { id: actor.credential.id },
    include: { user: { include: { memberships } } },
  });
  if (row === null || (row.expiresAt !== null && row.expiresAt.getTime() <= services.nowMs())) return undefined;
  return toActor(row.user, actor.credential, actor.address);
}

function toActor(user: MemberUser, credential: Credential, address: string | null): UserActor | undefined {
  const membership = user.memberships[0];
  const role = ROLES.find((known) => known === membership?.role);
  if (membership === undefined || role === undefined) return undefined;
  const { id, name, slug, namespace } = membership.team;
  return {
    kind: "user",
    userId: user.id,
    name: user.name,
    email: user.email,
    credential,
    team: { id, name, slug, namespace },
    role,
    address,
  };
}
