import { can, type ObjectRef } from "../access/can.ts";
import type { Action } from "../access/actions.ts";
import { requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import { type ActivityRow, listActivity } from "../audit/list-activity.ts";
import { type ContainerRow, listContainers } from "../containers/read-containers.ts";
import type { ServiceContext } from "../context.ts";
import type { FleetHistory } from "../hosts/host-history.ts";
import { listHosts } from "../hosts/list-hosts.ts";
import type { HostRow } from "../hosts/schemas.ts";
import { listInvitations } from "../invitations/manage-invitations.ts";
import { readMesh } from "../networks/read-mesh.ts";
import { getRegistryUsage } from "../registry/quota.ts";
import { readStacks } from "../stacks/read-stacks.ts";
import { listTokens } from "../tokens/manage-tokens.ts";
import type { Attention } from "./attention.ts";
import type { WatchedStack } from "./attention-of-stacks.ts";
import { findAttention } from "./find-attention.ts";

export type Overview = {
  hosts: { online: number; offline: number; never: number };
  containers: { running: number; paused: number; restarting: number; exited: number; created: number; dead: number };
  /** Null for who may not see stacks. */
  stacks: number | null;
  attention: Attention[];
  activity: ActivityRow[];
};

const ACTIVITY_ROWS = 10;

/** The first page: what needs somebody now, counts by state, what happened last: as much of it as the caller may see. */
export async function getOverview(services: ServiceContext, actor: Actor): Promise<Overview> {
  const { team, userId } = requireUser(actor);
  const object: ObjectRef = { kind: "team", id: team.id, name: team.name, teamId: team.id, ownerId: userId };
  const ask = <Found>(action: Action, read: () => Promise<Found>): Promise<Found | null> =>
    can(actor, action, object).allowed ? read() : Promise.resolve(null);
  const hosts = await listHosts(services, actor);
  const [containers, stacks, mesh, registry, tokens, invitations, activity] = await Promise.all([
    ask("container.read", () => listContainers(services, actor, {})),
    ask("stack.read", () => watchStacks(services, actor)),
    // One host has nobody to reach.
    hosts.length < 2 ? null : ask("network.read", () => readMesh(services, actor)),
    ask("registry.read", () => getRegistryUsage(services, actor)),
    ask("token.read", () => listTokens(services, actor)),
    ask("invitation.read", () => listInvitations(services, actor)),
    ask("activity.read", () => listActivity(services, actor, { limit: ACTIVITY_ROWS })),
  ]);
  const rows = containers?.items ?? [];
  const state = { hosts, containers: rows, stacks: stacks ?? [], mesh, registry, tokens: tokens ?? [], invitations: invitations ?? [] };
  return {
    hosts: { online: count(hosts, "online"), offline: count(hosts, "offline"), never: count(hosts, "never") },
    containers: countContainers(rows),
    stacks: stacks?.length ?? null,
    attention: findAttention(state, services.nowMs()),
    activity: activity?.items ?? [],
  };
}

/** How busy the hosts were in the last hour that the caller may see, together. */
export async function readFleetHistory(services: ServiceContext, actor: Actor): Promise<FleetHistory> {
  const hosts = await listHosts(services, actor);
  return services.history.read(hosts.map(({ id }) => id));
}

async function watchStacks(services: ServiceContext, actor: Actor): Promise<WatchedStack[]> {
  return (await readStacks(services, actor)).map(({ summary: { name, isRemoving, last }, views }) => ({
    name,
    isRemoving,
    startedAt: last?.startedAt ?? null,
    finishedAt: last?.finishedAt ?? null,
    services: views,
  }));
}

function count(hosts: readonly HostRow[], state: HostRow["state"]): number {
  return hosts.filter((host) => host.state === state).length;
}

function countContainers(containers: readonly ContainerRow[]): Overview["containers"] {
  const counts = { running: 0, paused: 0, restarting: 0, exited: 0, created: 0, dead: 0 };
  for (const { State: state } of containers) {
    if (state in counts) counts[state as keyof typeof counts] += 1;
  }
  return counts;
}
