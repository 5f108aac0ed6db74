import type { Actor } from "../access/actor.ts";
import { recordRefusal } from "../access/authorize.ts";
import { can } from "../access/can.ts";
import { actFor, findActorByPassword, findActorByToken } from "../access/find-actor.ts";
import type { ServiceContext } from "../context.ts";
import { API_TOKEN_PREFIX } from "../access/secrets.ts";
import { locateRepository } from "./find-repository.ts";
import { isRepositoryPath } from "./names.ts";
import { findSubject, OPERATION_ACTIONS, subjectOf } from "./registry-caller.ts";
import {
  type Grant,
  REGISTRY_OPERATIONS,
  REGISTRY_SERVICE,
  type RegistryOperation,
  signRegistryToken,
  verifyRegistryToken,
} from "./registry-token.ts";

/** Short, since a token is not asked again for the rights it names; clients get a new one by themselves. */
export const REGISTRY_TOKEN_SECONDS = 300;
/** A host that is away from its control plane cannot pull from it either: an hour is a matter of clocks. */
const HOST_CREDENTIAL_SECONDS = 3_600;
/** Credentials are the same for so long, so that hosts' desired state changes three times an hour and no more often. */
const HOST_CREDENTIAL_STEP_SECONDS = 1_200;
const HOST_AUDIENCE = "flotilla-registry-host";
const HOST_USER = "flotilla-host";
const MAX_SCOPES = 50;

export type BasicCredentials = { username: string; password: string };

/** Whether a Basic password is one that people choose, whose guesses must be bounded, and not a random token. */
export function isPersonalPassword({ username, password }: BasicCredentials): boolean {
  return username !== HOST_USER && !password.startsWith(API_TOKEN_PREFIX);
}

/** Who a name and password of `docker login` are: e-mail and password, any name and an API token, or a host's credential. */
export async function findActorByBasic(
  services: ServiceContext,
  given: BasicCredentials,
  address: string | null,
): Promise<Actor | undefined> {
  const { username, password } = given;
  if (password.startsWith(API_TOKEN_PREFIX)) return findActorByToken(services, password, address);
  if (username !== HOST_USER) return findActorByPassword(services, { email: username, password }, address);
  const token = verifyRegistryToken(services.registry.tokenKey, password, { audience: HOST_AUDIENCE, nowMs: services.nowMs() });
  return token?.subject.kind === "host" ? findSubject(services, token.subject, address) : undefined;
}

/**
 * A token for what the caller asks and may: scopes are narrowed and never refused, as the token specification of the
 * distribution project has it. Unknown and malformed scopes give nothing.
 *
 * @param scopes such as `repository:team/app:pull,push` or `registry:catalog:*`
 */
export async function issueRegistryToken(
  services: ServiceContext,
  actor: Actor,
  scopes: readonly string[],
): Promise<{ token: string; expiresInSeconds: number; issuedAt: string; access: Grant[] }> {
  const wanted = scopes.flatMap((text) => text.split(" ")).filter((text) => text !== "");
  const access: Grant[] = [];
  for (const scope of wanted.slice(0, MAX_SCOPES)) {
    const grant = await narrow(services, actor, scope);
    if (grant !== undefined) access.push(grant);
  }
  const nowMs = services.nowMs();
  const token = signRegistryToken(
    services.registry.tokenKey,
    { audience: REGISTRY_SERVICE, subject: subjectOf(actor), access, lifetimeSeconds: REGISTRY_TOKEN_SECONDS },
    nowMs,
  );
  return { token, expiresInSeconds: REGISTRY_TOKEN_SECONDS, issuedAt: new Date(nowMs).toISOString(), access };
}

async function narrow(services: ServiceContext, actor: Actor, scope: string): Promise<Grant | undefined> {
  if (scope === "registry:catalog:*") return actor.kind === "user" ? { type: "registry", name: "catalog", actions: ["*"] } : undefined;
  const match = /^repository(?:\([a-z]{1,32}\))?:([^:]{1,255}):([a-z*,]{1,64})$/.exec(scope);
  const name = match?.[1];
  if (name === undefined || !isRepositoryPath(name)) return undefined;
  const asked = new Set(match?.[2]?.split(","));
  const { object, teamId } = await locateRepository(services, name);
  const acting = actor.kind === "user" ? await actFor(services, actor, teamId) : actor;
  const actions: RegistryOperation[] = [];
  for (const operation of REGISTRY_OPERATIONS) {
    if (!asked.has(operation) && !asked.has("*")) continue;
    const action = OPERATION_ACTIONS[operation];
    const decision = can(acting, action, object);
    if (decision.allowed) actions.push(operation);
    else if (actor.kind !== "anonymous") await recordRefusal(services, actor, { action, object, reason: decision.because });
  }
  return { type: "repository", name, actions };
}

/** Name and password by which a host pulls its team's images, without `docker login`: what `X-Registry-Auth` carries. */
export type PullCredential = { serverAddress: string; username: string; password: string; expiresAt: string };

/**
 * A credential for one host, for pulling and nothing else. It ends by itself, and at once when the host is removed.
 * Nothing is stored: within a step of time every control plane makes the same, good for at least forty minutes more.
 */
export function issuePullCredential(services: ServiceContext, hostId: string): PullCredential {
  const stepMs = HOST_CREDENTIAL_STEP_SECONDS * 1000;
  const issuedMs = Math.floor(services.nowMs() / stepMs) * stepMs;
  const password = signRegistryToken(
    services.registry.tokenKey,
    {
      audience: HOST_AUDIENCE,
      subject: { kind: "host", hostId },
      access: [],
      lifetimeSeconds: HOST_CREDENTIAL_SECONDS,
      id: `${hostId}.${issuedMs}`,
    },
    issuedMs,
  );
  return {
    serverAddress: new URL(services.publicUrl).host,
    username: HOST_USER,
    password,
    expiresAt: new Date(issuedMs + HOST_CREDENTIAL_SECONDS * 1000).toISOString(),
  };
}
