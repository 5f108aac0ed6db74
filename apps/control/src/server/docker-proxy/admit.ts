import type { IncomingMessage } from "node:http";
import { FlotillaError } from "@flotilla/core";
import {
  type Action,
  type Actor,
  authorize,
  can,
  findActorByToken,
  findHost,
  hostObject,
  type ObjectRef,
  recordRefusal,
  ruleOf,
  type ServiceContext,
  type UserActor,
} from "@flotilla/services";
import { classifyDockerCall } from "./classify.ts";

/** A call that may go to the host. */
export type Admitted = {
  actor: UserActor;
  action: Action;
  object: ObjectRef;
  host: { id: string; name: string };
  /** Path with query for the engine. */
  target: string;
  isChange: boolean;
  /** The answer tells of containers, and the caller may not look inside them. */
  isRedacted: boolean;
};

const TARGET = /^\/docker\/([a-z0-9][a-z0-9-]{0,62}|[0-9a-f-]{36})(\/[^?#]*)(\?[^#]*)?$/;

/**
 * Who asks (API token and nothing else), which host, what it is about, and whether they may: in this order, before
 * anything is sent anywhere. Refused attempts are audited.
 * @throws unauthenticated, not_found, forbidden.
 */
export async function admitDockerCall(services: ServiceContext, req: IncomingMessage, address: string): Promise<Admitted> {
  const [, hostRef = "", path = "", query = ""] = TARGET.exec(req.url ?? "") ?? [];
  const call = classifyDockerCall(req.method ?? "", path, query);
  const anonymous: Actor = { kind: "anonymous", address };
  const unknownHost: ObjectRef = { kind: "host", id: hostRef, name: hostRef, teamId: null };
  const actor = await findActorByToken(services, bearer(req) ?? "", address);
  if (actor === undefined) {
    await recordRefusal(services, anonymous, { action: call?.action ?? "system.read", object: unknownHost, reason: "unauthenticated" });
    throw new FlotillaError(
      "unauthenticated",
      "unauthorized: an API token of this control plane is required (Authorization: Bearer flt_…): the docker command takes it from DOCKER_CUSTOM_HEADERS, and before version 27 from its config.json, where `flotilla context HOST --headers` writes it",
    );
  }
  if (hostRef === "") throw new FlotillaError("not_found", "page not found");
  const host = await findHost(services, actor, hostRef);
  if (call === undefined) {
    await recordRefusal(services, actor, {
      action: "system.read",
      object: hostObject(host),
      reason: `unknown route ${req.method ?? ""} ${path.slice(0, 100)}`,
    });
    throw new FlotillaError("not_found", "page not found");
  }
  const object: ObjectRef =
    call.kind === "host" ? hostObject(host) : { ...hostObject(host), kind: call.kind, id: call.id, name: `${host.name}/${call.id}` };
  await authorize(services, actor, { action: call.action, object });
  const isRedacted = showsContainers(path) && !can(actor, "container.inspect", object).allowed;
  return { actor, action: call.action, object, host, target: `${path}${query}`, isChange: ruleOf(call.action).changes, isRedacted };
}

/** `docker ps`, `docker inspect`, `docker system df`: environments, arguments and labels hold secrets. */
function showsContainers(path: string): boolean {
  return /^(?:\/v[\d.]+)?\/(?:containers\/(?:[^/]+\/)?json|system\/df)$/.test(path);
}

function bearer(req: IncomingMessage): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,128})$/i.exec(req.headers.authorization ?? "")?.[1];
}
