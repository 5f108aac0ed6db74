import type { Actor } from "../access/actor.ts";
import type { ObjectRef } from "../access/can.ts";
import type { ServiceContext } from "../context.ts";
import { findHost, hostObject } from "../hosts/find-host.ts";

/** Something of a host's engine. It belongs to the team of its host: rights are asked about the host's id, never about a name. */
export async function engineObject(
  services: ServiceContext,
  actor: Actor,
  ref: { kind: "container" | "image" | "volume" | "network"; host: string; id: string },
): Promise<ObjectRef> {
  const host = await findHost(services, actor, ref.host);
  if (ref.id === "") return hostObject(host);
  return { kind: ref.kind, id: ref.id, name: `${host.name}/${ref.id}`, teamId: host.teamId };
}
