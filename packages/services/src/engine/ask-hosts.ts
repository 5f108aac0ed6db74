import { FlotillaError, toFlotillaError } from "@flotilla/core";
import type { Host } from "@flotilla/db";
import type { Actor, UserActor } from "../access/actor.ts";
import { requireUser } from "../access/authorize.ts";
import type { ServiceContext } from "../context.ts";
import { can } from "../access/can.ts";
import { findHost, hostObject } from "../hosts/find-host.ts";
import type { HostLink } from "./host-links.ts";

export type HostBrief = { id: string; name: string };
export type HostList<T> = { items: (T & { host: HostBrief })[]; errors: { host: HostBrief; message: string }[] };

/** One connected host of the caller's team. @throws not_found, unavailable. */
export async function openHost(
  services: ServiceContext,
  actor: Actor,
  ref: string,
): Promise<{ host: Host; brief: HostBrief; link: HostLink; namespace: string; user: UserActor }> {
  const user = requireUser(actor);
  const host = await findHost(services, user, ref);
  return { host, brief: { id: host.id, name: host.name }, link: services.links.get(host), namespace: user.team.namespace, user };
}

/** Asks one host, or all hosts of the team beside each other. A host that does not answer is an entry of `errors`, not an error. */
export async function askHosts<T extends object>(
  services: ServiceContext,
  actor: Actor,
  request: { host?: string | undefined; ask: (link: HostLink, namespace: string, host: Host) => Promise<T[]> },
): Promise<HostList<T>> {
  const user = requireUser(actor);
  const hosts =
    request.host === undefined
      ? (await services.prisma.host.findMany({ where: { teamId: user.team.id }, orderBy: { name: "asc" } })).filter(
          (host) => can(user, "host.read", hostObject(host)).allowed,
        )
      : [await findHost(services, user, request.host)];
  const result: HostList<T> = { items: [], errors: [] };
  const answers = await Promise.all(hosts.map((host) => askOne(services, { host, namespace: user.team.namespace, ask: request.ask })));
  for (const [index, answer] of answers.entries()) {
    const host = hosts[index];
    if (host === undefined) continue;
    const brief = { id: host.id, name: host.name };
    if (answer instanceof FlotillaError) result.errors.push({ host: brief, message: answer.message });
    else result.items.push(...answer.map((item) => ({ ...item, host: brief })));
  }
  return result;
}

async function askOne<T>(
  services: ServiceContext,
  request: { host: Host; namespace: string; ask: (link: HostLink, namespace: string, host: Host) => Promise<T[]> },
): Promise<T[] | FlotillaError> {
  try {
    return await request.ask(services.links.get(request.host), request.namespace, request.host);
  } catch (error) {
    return toFlotillaError(error);
  }
}
