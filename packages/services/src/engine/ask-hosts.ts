import { FlotillaError, toFlotillaError } from "@flotilla/core";
import type { Action } from "../access/actions.ts";
import type { Actor, UserActor } from "../access/actor.ts";
import { can } from "../access/can.ts";
import { requireUser } from "../access/authorize.ts";
import type { ServiceContext } from "../context.ts";
import { isExemptFromGuards } from "../guards/is-exempt.ts";
import { findHost, findVisibleHosts, hostObject, type VisibleHost } from "../hosts/find-host.ts";
import type { HostLink } from "./host-links.ts";

export type HostBrief = { id: string; name: string };
export type HostList<T> = { items: (T & { host: HostBrief })[]; errors: { host: HostBrief; message: string }[] };

/** One connected host that the caller's team can see. @throws not_found, unavailable. */
export async function openHost(
  services: ServiceContext,
  actor: Actor,
  ref: string,
): Promise<{ host: VisibleHost; brief: HostBrief; link: HostLink; namespace: string; user: UserActor }> {
  const user = requireUser(actor);
  const host = await findHost(services, user, ref);
  return { host, brief: { id: host.id, name: host.name }, link: linkOf(services, user, host), namespace: user.team.namespace, user };
}

/** A host's engine as this person may use it: bound by the guard rails, or not. @throws unavailable. */
function linkOf(services: ServiceContext, user: UserActor, host: { id: string; name: string }): HostLink {
  const link = services.links.get(host);
  const isExempt = isExemptFromGuards(user);
  return { hostId: link.hostId, epoch: link.epoch, request: (request) => link.request({ ...request, isExempt }) };
}

/**
 * Asks one host, or beside each other all that the team can see and where `action` is allowed. A host that does not answer is an entry of
 * `errors`, not an error.
 */
export async function askHosts<T extends object>(
  services: ServiceContext,
  actor: Actor,
  request: { host?: string | undefined; action: Action; ask: (link: HostLink, namespace: string, host: VisibleHost) => Promise<T[]> },
): Promise<HostList<T>> {
  const user = requireUser(actor);
  const hosts =
    request.host === undefined
      ? (await findVisibleHosts(services, user)).filter((host) => can(user, request.action, hostObject(host)).allowed)
      : [await findHost(services, user, request.host)];
  const parts: (T & { host: HostBrief })[][] = [];
  const errors: HostList<T>["errors"] = [];
  const answers = await Promise.all(hosts.map((host) => askOne(services, { host, namespace: user.team.namespace, ask: request.ask })));
  for (const [index, answer] of answers.entries()) {
    const host = hosts[index];
    if (host === undefined) continue;
    const brief = { id: host.id, name: host.name };
    if (answer instanceof FlotillaError) errors.push({ host: brief, message: answer.message });
    else parts.push(withHost(answer, brief));
  }
  return { items: joined(parts), errors };
}

const TAGGED = new WeakMap<object, { brief: HostBrief; rows: unknown }>();
const JOINED = new WeakMap<object, { parts: readonly unknown[]; items: unknown }>();

/** The rows with their host: the same ones again for an answer that several share, as long as the host is called the same. */
function withHost<T extends object>(answer: T[], brief: HostBrief): (T & { host: HostBrief })[] {
  const known = TAGGED.get(answer);
  if (known?.brief.id === brief.id && known.brief.name === brief.name) return known.rows as (T & { host: HostBrief })[];
  const rows = answer.map((item) => ({ ...item, host: brief }));
  TAGGED.set(answer, { brief, rows });
  return rows;
}

/** The lists of several hosts as one: the same one again for the same lists, so that doors write it down once. */
function joined<T>(parts: readonly T[][]): T[] {
  const [first, ...others] = parts;
  if (first === undefined || others.length === 0) return first ?? [];
  const known = JOINED.get(first);
  if (known?.parts.length === parts.length && known.parts.every((part, index) => part === parts[index])) return known.items as T[];
  const items = parts.flat();
  JOINED.set(first, { parts, items });
  return items;
}

async function askOne<T>(
  services: ServiceContext,
  request: { host: VisibleHost; namespace: string; ask: (link: HostLink, namespace: string, host: VisibleHost) => Promise<T[]> },
): Promise<T[] | FlotillaError> {
  try {
    return await request.ask(services.links.get(request.host), request.namespace, request.host);
  } catch (error) {
    return toFlotillaError(error);
  }
}
