import type { RegistryRepository } from "@flotilla/db";
import { FlotillaError } from "@flotilla/core";
import type { Action } from "../access/actions.ts";
import type { Actor } from "../access/actor.ts";
import { recordRefusal } from "../access/authorize.ts";
import { can, type ObjectRef } from "../access/can.ts";
import { actFor, findActorByToken, refreshActor } from "../access/find-actor.ts";
import type { ServiceContext } from "../context.ts";
import { ensureRepository, type FoundRepository, known, locateRepository } from "./find-repository.ts";
import { requireNoCache } from "./upstream/find-upstream.ts";
import { registryError } from "./registry-error.ts";
import { type Grant, REGISTRY_SERVICE, type RegistryOperation, type TokenSubject, verifyRegistryToken } from "./registry-token.ts";

/** Who asks the registry, and what the token at hand allows: `all` is an API token used directly. */
export type RegistryCaller = { actor: Actor; grants: Grant[] | "all" };

export const OPERATION_ACTIONS = { pull: "registry.pull", push: "registry.push", delete: "registry.delete" } as const satisfies Record<
  RegistryOperation,
  Action
>;

/** The caller behind a bearer token, ours or an API token. Undefined: not good, or the person or host is gone. */
export async function findRegistryCaller(
  services: ServiceContext,
  bearer: string,
  address: string | null,
): Promise<RegistryCaller | undefined> {
  const direct = await findActorByToken(services, bearer, address);
  if (direct !== undefined) return { actor: direct, grants: "all" };
  const token = verifyRegistryToken(services.registry.tokenKey, bearer, { audience: REGISTRY_SERVICE, nowMs: services.nowMs() });
  if (token === undefined) return undefined;
  const actor = await findSubject(services, token.subject, address);
  return actor === undefined ? undefined : { actor, grants: token.access };
}

/** The person or host that a token was made for, as they are now: a token of somebody who was removed is worth nothing. */
export async function findSubject(services: ServiceContext, subject: TokenSubject, address: string | null): Promise<Actor | undefined> {
  if (subject.kind === "anonymous") return { kind: "anonymous", address };
  if (subject.kind === "host") {
    const { hostId } = subject;
    const host = await services.cache.get(`registry host ${hostId}`, () => services.prisma.host.findUnique({ where: { id: hostId } }));
    return host === null ? undefined : { kind: "host", hostId, name: host.name, teamId: host.teamId, address };
  }
  const { userId, credential } = subject;
  // Only who and by what is in the token; role and team are read now.
  const actor = await services.cache.get(`registry actor ${credential.kind} ${credential.id}`, () =>
    refreshActor(services, { credential, address }),
  );
  return actor === undefined || actor.userId !== userId ? undefined : { ...actor, address };
}

/** What {@link findSubject} will find again. */
export function subjectOf(actor: Actor): TokenSubject {
  if (actor.kind === "user") return { kind: "user", userId: actor.userId, credential: actor.credential };
  if (actor.kind === "host") return { kind: "host", hostId: actor.hostId };
  return { kind: "anonymous" };
}

/** Whether the caller's token and rights both allow it: for what is done quietly when they do not (a mount). */
export function mayDo(caller: RegistryCaller, operation: RegistryOperation, object: ObjectRef): boolean {
  return isGranted(caller, operation, object.name) && can(caller.actor, OPERATION_ACTIONS[operation], object).allowed;
}

/**
 * Asks the authorizer, and whether the token was made for this.
 *
 * @throws UNAUTHORIZED when another token (or signing in) could help, DENIED when nothing can. In both cases a repository
 * that the caller may not see and one that does not exist are told alike.
 */
export async function authorizeRegistry(
  services: ServiceContext,
  caller: RegistryCaller,
  request: { operation: RegistryOperation; path: string },
): Promise<FoundRepository> {
  const { operation, path } = request;
  const found = await locateRepository(services, path);
  const action = OPERATION_ACTIONS[operation];
  const actor = caller.actor.kind === "user" ? await actFor(services, caller.actor, found.teamId) : caller.actor;
  const decision = can(actor, action, found.object);
  if (decision.allowed && isGranted(caller, operation, path)) return found;
  if (!decision.allowed) await recordRefusal(services, caller.actor, { action, object: found.object, reason: decision.because });
  if (caller.actor.kind !== "anonymous" && (caller.grants === "all" || !decision.allowed)) {
    throw registryError("DENIED", "requested access to the resource is denied", { name: path, action: operation });
  }
  throw registryError("UNAUTHORIZED", "authentication required", { name: path, action: operation });
}

/** The repository for a call of the registry. @throws NAME_UNKNOWN and as {@link authorizeRegistry}. */
export async function repositoryFor(
  services: ServiceContext,
  caller: RegistryCaller,
  request: { operation: RegistryOperation; path: string },
): Promise<RegistryRepository> {
  const found = await authorizeRegistry(services, caller, request);
  if (request.operation !== "push") return known(found);
  await requireNoCache(services, request.path);
  return ensureRepository(services, found);
}

function isGranted(caller: RegistryCaller, operation: RegistryOperation, path: string): boolean {
  if (caller.grants === "all") return true;
  return caller.grants.some((grant) => grant.type === "repository" && grant.name === path && grant.actions.includes(operation));
}

/** Who began an upload, as text: nobody else goes on with it. @throws DENIED for those who cannot push. */
export function ownerOf(actor: Actor): string {
  if (actor.kind !== "user") throw new FlotillaError("forbidden", "only people push");
  return `user ${actor.userId}`;
}

/** How rows name who pushed. */
export function pusherName(actor: Actor): string {
  return actor.kind === "user" ? actor.email : actor.kind === "anonymous" ? "anonymous" : actor.name;
}
