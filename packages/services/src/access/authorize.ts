import { FlotillaError } from "@flotilla/core";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import type { Action } from "./actions.ts";
import type { Actor, UserActor } from "./actor.ts";
import { can, type ObjectRef } from "./can.ts";

/**
 * Asks the authorizer and turns a refusal into an error and an audit row.
 * @throws unauthenticated, forbidden, or not_found for what the caller may not know to exist.
 */
export async function authorize(services: ServiceContext, actor: Actor, request: { action: Action; object: ObjectRef }): Promise<void> {
  const { action, object } = request;
  const decision = can(actor, action, object);
  if (decision.allowed) return;
  await recordRefusal(services, actor, { action, object, reason: decision.because });
  if (decision.because === "unauthenticated") throw new FlotillaError("unauthenticated", "sign in to do this");
  if (decision.because === "invisible") throw notFound(object.kind, object.name);
  throw new FlotillaError("forbidden", `your role does not allow this (${action})`);
}

/** Writes a refused attempt; equal ones are written once in ten seconds. */
export async function recordRefusal(
  services: ServiceContext,
  actor: Actor,
  refusal: { action: Action; object: ObjectRef; reason: string },
): Promise<void> {
  const { action, object, reason } = refusal;
  const who = actor.kind === "user" ? actor.userId : `${actor.kind} ${actor.address ?? ""}`;
  // A stranger chooses the ids: they must not make a row of each.
  const key = [who, action, object.kind, actor.kind === "anonymous" ? "" : object.id, reason].join("\0");
  if (!services.refusals.admit(key)) return;
  await recordAudit(services.prisma, { actor, action, object, outcome: "refused", detail: { reason } });
}

/** The same words for what does not exist and for what belongs to others. */
export function notFound(kind: string, name: string): FlotillaError {
  return new FlotillaError("not_found", `no such ${kind}: ${name}`);
}

/** @throws unauthenticated unless a person asks. */
export function requireUser(actor: Actor): UserActor {
  if (actor.kind !== "user") throw new FlotillaError("unauthenticated", "sign in to do this");
  return actor;
}
