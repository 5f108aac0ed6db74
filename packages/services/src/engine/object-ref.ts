import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { ObjectRef } from "../access/can.ts";
import type { ServiceContext } from "../context.ts";
import { findHost, hostObject } from "../hosts/find-host.ts";
import { engineJson } from "./engine-call.ts";

/**
 * Something of a host's engine, in the namespace of the caller's team and so the team's own, whoever owns the host. Rights are asked
 * about the host's id, never about a name.
 */
export async function engineObject(
  services: ServiceContext,
  actor: Actor,
  ref: { kind: "container" | "image" | "volume" | "network"; host: string; id: string },
): Promise<ObjectRef> {
  const host = await findHost(services, actor, ref.host);
  if (ref.id === "") return hostObject(host);
  return { ...hostObject(host), kind: ref.kind, id: ref.id, name: `${host.name}/${ref.id}` };
}

const NAME_TIMEOUT_MS = 2_000;
const named = z.looseObject({ Id: z.string(), Name: z.string() });

/**
 * A container as its audit rows name it: by the name that people gave it, with its whole id. What the engine does not tell
 * (it is away, or there is no such container) stays as it was asked for: the act itself then says why.
 */
export async function namedContainer(services: ServiceContext, actor: Actor, ref: { host: string; id: string }): Promise<ObjectRef> {
  const object = await engineObject(services, actor, { kind: "container", ...ref });
  if (actor.kind !== "user") return object;
  try {
    const host = await findHost(services, actor, ref.host);
    const path = `/containers/${encodeURIComponent(ref.id.replace(/^\//, ""))}/json`;
    const call = { namespace: actor.team.namespace, method: "GET", path, timeoutMs: NAME_TIMEOUT_MS };
    const { Id: id, Name: name } = await engineJson(services.links.get(host), call, named);
    return { ...object, id, name: `${host.name}/${name.replace(/^\//, "")}` };
  } catch {
    return object;
  }
}
