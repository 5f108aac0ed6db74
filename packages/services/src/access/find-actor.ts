import type { Prisma } from "@flotilla/db";
import type { ServiceContext } from "../context.ts";
import { builtInRole, type Credential, type RoleRef, type UserActor } from "./actor.ts";
import { BUILT_IN_ROLES, type Right, rightsOfRole, toRights } from "./rights.ts";
import { API_TOKEN_PREFIX, hashToken } from "./secrets.ts";

/** `last used` is written at most this often, so that a busy token does not cost a write for each call. */
const LAST_USED_STEP_MS = 60_000;
const MAX_TOKEN_LENGTH = 128;
const NONE: ReadonlySet<Right> = new Set();

const ofTeam = { include: { hostGrants: { select: { hostId: true, rights: true } } } } as const;
/** A person with all that an actor is made of. Of many teams one is acted for; the first by age unless another is named. */
const person = {
  include: { memberships: { include: { team: ofTeam, customRole: true }, orderBy: [{ createdAt: "asc" }, { id: "asc" }] } },
} satisfies Prisma.UserDefaultArgs;

type Person = Prisma.UserGetPayload<typeof person>;
type TeamRow = Person["memberships"][number]["team"];
type Choice = { credential: Credential; address: string | null; teamId: string | null };

/** The person behind an API token, or undefined when it is unknown or expired. */
export async function findActorByToken(services: ServiceContext, token: string, address: string | null): Promise<UserActor | undefined> {
  if (!token.startsWith(API_TOKEN_PREFIX) || token.length > MAX_TOKEN_LENGTH) return undefined;
  const tokenHash = hashToken(token);
  const actor = await services.cache.get(`token ${tokenHash}`, () => lookUpToken(services, tokenHash, address));
  return actor === undefined ? undefined : { ...actor, address };
}

async function lookUpToken(services: ServiceContext, tokenHash: string, address: string | null): Promise<UserActor | undefined> {
  const row = await services.prisma.apiToken.findUnique({ where: { tokenHash }, include: { user: person } });
  const now = services.nowMs();
  if (row === null || (row.expiresAt !== null && row.expiresAt.getTime() <= now)) return undefined;
  if (row.lastUsedAt === null || now - row.lastUsedAt.getTime() > LAST_USED_STEP_MS) {
    await services.prisma.apiToken.updateMany({ where: { id: row.id }, data: { lastUsedAt: new Date(now), lastUsedAddress: address } });
  }
  return toTokenActor(services, row, null);
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
    include: { user: person },
  });
  if (account === null || account.password === null) {
    await services.passwords.hash(password);
    return undefined;
  }
  if (!(await services.passwords.verify(password, account.password))) return undefined;
  // A password alone is not enough for who has a second factor: programs use tokens.
  if (account.user.twoFactorEnabled) return undefined;
  return toActor(services, account.user, { credential: { kind: "password", id: account.userId }, address, teamId: null });
}

/** The person behind a session of the dashboard, or undefined when it ended. `sessionId` comes from better-auth. */
export async function findActorBySession(
  services: ServiceContext,
  sessionId: string,
  address: string | null,
): Promise<UserActor | undefined> {
  const row = await services.prisma.session.findUnique({ where: { id: sessionId }, include: { user: person } });
  if (row === null || row.expiresAt.getTime() <= services.nowMs()) return undefined;
  return toActor(services, row.user, { credential: { kind: "session", id: sessionId }, address, teamId: row.activeTeamId });
}

/** The person of an account whose password was just proven: for what is recorded of a sign-in. Undefined when they are in no team. */
export async function findActorByEmail(services: ServiceContext, email: string, address: string | null): Promise<UserActor | undefined> {
  const user = await services.prisma.user.findUnique({ where: { email: email.toLowerCase() }, ...person });
  if (user === null) return undefined;
  return toActor(services, user, { credential: { kind: "session", id: "sign-in" }, address, teamId: null });
}

/** Looks a caller up again: undefined once the session, token, person or membership is gone. */
export async function refreshActor(
  services: ServiceContext,
  actor: Pick<UserActor, "credential" | "address">,
): Promise<UserActor | undefined> {
  const { credential, address } = actor;
  if (credential.kind === "session") return findActorBySession(services, credential.id, address);
  if (credential.kind === "password") {
    const user = await services.prisma.user.findUnique({ where: { id: credential.id }, ...person });
    if (user === null || user.twoFactorEnabled) return undefined;
    return toActor(services, user, { credential, address, teamId: null });
  }
  const row = await services.prisma.apiToken.findUnique({ where: { id: credential.id }, include: { user: person } });
  if (row === null || (row.expiresAt !== null && row.expiresAt.getTime() <= services.nowMs())) return undefined;
  return toTokenActor(services, row, address);
}

type TokenRow = Prisma.ApiTokenGetPayload<{ include: { user: typeof person } }>;

/** The person of a token, with no more than what the token is for. */
async function toTokenActor(services: ServiceContext, row: TokenRow, address: string | null): Promise<UserActor | undefined> {
  const actor = await toActor(services, row.user, { credential: { kind: "token", id: row.id }, address, teamId: row.teamId });
  if (actor === undefined || (row.hasAllRights && row.hasAllHosts)) return actor;
  const wanted = toRights(row.rights);
  const rights = row.hasAllRights ? actor.rights : new Set([...actor.rights].filter((right) => wanted.has(right)));
  return { ...actor, rights, isInstanceAdmin: false, isScoped: true, ...(row.hasAllHosts ? {} : { hostIds: new Set(row.hostIds) }) };
}

/**
 * The same person in another of their teams, for credentials that are of no team (a password at the registry, where the path names the
 * team); the actor as given for all others.
 */
export async function actFor(services: ServiceContext, actor: UserActor, teamId: string | null): Promise<UserActor> {
  if (actor.credential.kind !== "password" || teamId === null || actor.team.id === teamId) return actor;
  const user = await services.prisma.user.findUnique({ where: { id: actor.userId }, ...person });
  // An instance administrator too acts by a password for the teams that they are in, and for no other.
  if (user === null || !user.memberships.some((membership) => membership.teamId === teamId)) return actor;
  const { credential, address } = actor;
  return (await toActor(services, user, { credential, address, teamId })) ?? actor;
}

/**
 * The person as a member of the team that they chose. A session whose team is gone falls back to the first one; a token is
 * of one team and ends with the membership. An instance administrator acts in every team as an owner.
 */
async function toActor(services: ServiceContext, user: Person, choice: Choice): Promise<UserActor | undefined> {
  const { credential, address } = choice;
  const membership = pickMembership(user, choice);
  const team = membership?.team ?? (user.isInstanceAdmin ? await findTeam(services, choice.teamId) : null);
  if (team === null) return undefined;
  const { role, rights } = membership === undefined ? { role: null, rights: NONE } : readRole(membership);
  const lacksTwoFactor = team.requiresTwoFactor && !user.twoFactorEnabled && !user.isService;
  const full = user.isInstanceAdmin ? rightsOfRole("owner") : rights;
  const { id, name, slug, namespace } = team;
  return {
    kind: "user",
    userId: user.id,
    name: user.name,
    email: user.email,
    credential,
    team: { id, name, slug, namespace },
    role,
    rights: lacksTwoFactor ? NONE : full,
    grants: new Map(team.hostGrants.map((grant) => [grant.hostId, toRights(grant.rights)])),
    // Who must not act in their team for want of a second factor must not act above all teams either.
    isInstanceAdmin: user.isInstanceAdmin && !lacksTwoFactor,
    lacksTwoFactor,
    address,
  };
}

function pickMembership(user: Person, { teamId, credential }: Choice): Person["memberships"][number] | undefined {
  const chosen = user.memberships.find((membership) => membership.teamId === teamId);
  const isFree = teamId === null || (credential.kind !== "token" && !user.isInstanceAdmin);
  return chosen ?? (isFree ? user.memberships[0] : undefined);
}

/** The team of an instance administrator who is no member of it; of one who is in no team at all, the oldest. */
function findTeam(services: ServiceContext, teamId: string | null): Promise<TeamRow | null> {
  return services.prisma.team.findFirst({
    where: { removedAt: null, ...(teamId === null ? {} : { id: teamId }) },
    orderBy: { createdAt: "asc" },
    ...ofTeam,
  });
}

type RoleRow = { role: string; customRole: { id: string; name: string; rights: string[] } | null };

/** A role as a membership names it. One that is not known allows nothing. */
export function readRole({ role, customRole }: RoleRow): { role: RoleRef; rights: ReadonlySet<Right> } {
  if (customRole !== null)
    return { role: { id: customRole.id, name: customRole.name, isBuiltIn: false }, rights: toRights(customRole.rights) };
  const known = BUILT_IN_ROLES.find((name) => name === role);
  if (known === undefined) return { role: { id: role, name: role, isBuiltIn: false }, rights: new Set() };
  return { role: builtInRole(known), rights: rightsOfRole(known) };
}
