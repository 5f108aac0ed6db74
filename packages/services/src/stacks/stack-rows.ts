import { Prisma, type Transaction } from "@flotilla/db";
import {
  type GuardLimits,
  HOST_UNDERLAY,
  HOST_USE,
  type HostUse,
  hostUse,
  kindOf,
  type ObservedReplica,
  observedReplica,
  REPLICA_KIND,
} from "@flotilla/protocol";
import { hostFacts } from "@flotilla/protocol";
import type { HostAvailability, ScheduleHost } from "@flotilla/planner";
import { type Right, toRights } from "../access/rights.ts";
import { limitsOf } from "../guards/find-guards.ts";
import { type QueriedStacks, queryStacks } from "./query-stack-rows.ts";

/** Postgres channel on which control planes hear that stacks of a team are to be looked at. */
export const STACKS_CHANNEL = "flotilla_stacks";
/** For reads of several tables: what is removed meanwhile is there in all of them. Not for whoever takes a lock first. */
export const AT_ONE_TIME = { isolationLevel: Prisma.TransactionIsolationLevel.RepeatableRead, maxWait: 15_000, timeout: 60_000 } as const;
/** Postgres channel on which control planes hear that what pages show of a team's stacks has changed. */
export const STACK_NEWS_CHANNEL = "flotilla_stack_news";
const LOCK_CLASS = 72_707_370;

/** Wakes the control planes when the transaction commits. */
export async function notifyStacks(tx: Transaction, teamId: string): Promise<void> {
  await tx.$executeRaw(Prisma.sql`SELECT pg_notify(${STACKS_CHANNEL}, ${teamId}), pg_notify(${STACK_NEWS_CHANNEL}, ${teamId})`);
}

/** Makes the pages of a team ask anew, when the transaction commits. */
export async function tellPages(tx: Transaction, teamId: string): Promise<void> {
  await tx.$executeRaw(Prisma.sql`SELECT pg_notify(${STACK_NEWS_CHANNEL}, ${teamId})`);
}

/** Stacks of a team are changed by one transaction at a time, whichever control plane it is of. */
export async function lockStacks(tx: Transaction, teamId: string): Promise<void> {
  await tx.$executeRaw(Prisma.sql`SELECT pg_advisory_xact_lock(${LOCK_CLASS}::int, hashtext(${teamId}))`);
}

export type ReplicaRow = QueriedStacks["replicas"][number] & { observed: ObservedReplica | undefined };
export type ServiceRow = QueriedStacks["services"][number] & {
  replicas: ReplicaRow[];
  addresses: QueriedStacks["addresses"];
};
export type StackRow = QueriedStacks["stacks"][number] & { services: ServiceRow[]; volumes: QueriedStacks["volumes"] };
export type HostRow = Omit<QueriedStacks["hosts"][number], "teamId" | "grant"> & {
  /** Of a host of another team what its grant lends; null: the team's own. */
  share: { mayRun: boolean; limits: GuardLimits } | null;
  /** What it said last; undefined: nothing that can be read. */
  use: HostUse | undefined;
};
export type StackRows = { stacks: StackRow[]; hosts: HostRow[] };

/** A team's stacks, or one of them, with what hosts say of the replicas. */
export async function readStackRows(tx: Transaction, teamId: string, name?: string): Promise<StackRows> {
  const { namespace, stacks, volumes, services, addresses, replicas, hosts, said } = await queryStacks(tx, teamId, name);
  const uses = new Map(
    said.flatMap(({ hostId, key, body }) => (key === HOST_USE ? [[hostId, useIn(namespace, hostUse.safeParse(body).data)] as const] : [])),
  );
  const observed = new Map(
    said.map(({ hostId, key, body }) => [`${hostId} ${key.slice(REPLICA_KIND.length + 1)}`, observedReplica.safeParse(body).data]),
  );
  const found = replicas.map((replica) => ({ ...replica, observed: observed.get(`${replica.hostId} ${replica.id}`) }));
  const byService = { replicas: Map.groupBy(found, (row) => row.serviceId), addresses: Map.groupBy(addresses, (row) => row.serviceId) };
  const whole = services.map((service) => ({
    ...service,
    replicas: byService.replicas.get(service.id) ?? [],
    addresses: byService.addresses.get(service.id) ?? [],
  }));
  const byStack = { services: Map.groupBy(whole, (row) => row.stackId), volumes: Map.groupBy(volumes, (row) => row.stackId) };
  return {
    hosts: hosts.map(({ teamId: owner, grant, ...host }) => ({
      ...host,
      share: owner === teamId ? null : shareOf(grant),
      use: uses.get(host.id),
    })),
    stacks: stacks.map((stack) => ({
      ...stack,
      services: byStack.services.get(stack.id) ?? [],
      volumes: byStack.volumes.get(stack.id) ?? [],
    })),
  };
}

/** Rights that a grant has to lend for replicas to be made, moved and taken away. */
const RUNNING: readonly Right[] = ["image.pull", "container.run", "container.control", "container.remove"];

/** Hosts where stacks of a team may be, or are: its own, and those that are shared with it. */
export function stackHosts(teamId: string): Prisma.HostWhereInput {
  return { OR: [{ teamId }, { grants: { some: { teamId } } }, { replicas: { some: { service: { stack: { teamId } } } } }] };
}

function shareOf(grant: QueriedStacks["hosts"][number]["grant"]): NonNullable<HostRow["share"]> {
  const rights = toRights(grant?.rights ?? []);
  return { mayRun: RUNNING.every((right) => rights.has(right)), limits: grant === null ? {} : limitsOf(grant) };
}

/** Images of other namespaces are none of the team's. */
function useIn(namespace: string, use: HostUse | undefined): HostUse | undefined {
  return use === undefined ? undefined : { ...use, images: use.images.filter((image) => image.namespace === namespace) };
}

/** A host as the scheduler sees it. What it did not say of itself limits nothing. */
export function toScheduleHost(host: HostRow): ScheduleHost {
  const facts = hostFacts.safeParse(host.facts).data;
  const limits = host.share?.limits ?? {};
  const labels = Object.entries(host.labels ?? {}).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  return {
    id: host.id,
    name: host.name,
    labels: Object.fromEntries(labels),
    os: "linux",
    architecture: facts?.architecture ?? "",
    availability: toAvailability(host.availability),
    isDown: host.downSince !== null,
    cpuMillis: least(facts === undefined ? undefined : facts.cpus * 1_000, limits.cpus === undefined ? undefined : limits.cpus * 1_000),
    memoryBytes: least(facts?.memoryBytes, limits.memoryBytes),
    ports: host.use?.ports ?? [],
    images: (host.use?.images ?? []).map(({ name }) => name),
    ...(host.share === null
      ? {}
      : { share: { mayRun: host.share.mayRun, maxReplicas: limits.containers ?? null, ports: limits.hostPorts ?? null } }),
  };
}

const least = (...values: (number | undefined)[]): number | null => {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? null : Math.min(...known);
};

export function toAvailability(text: string): HostAvailability {
  return text === "drain" || text === "cordon" ? text : "active";
}

/** What of a report concerns stacks. */
export function concernsStacks(key: string): boolean {
  return kindOf(key) === REPLICA_KIND || key === HOST_UNDERLAY;
}
