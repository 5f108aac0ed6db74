import {
  Prisma,
  type Host,
  type Stack,
  type StackAddress,
  type StackReplica,
  type StackService,
  type StackVolume,
  type Transaction,
} from "@flotilla/db";
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
import { type ServiceTarget, serviceTarget } from "./stack-model.ts";

/** Postgres channel on which control planes hear that stacks of a team are to be looked at. */
export const STACKS_CHANNEL = "flotilla_stacks";
/** For reads of several tables: what is removed meanwhile is there in all of them. Not for whoever takes a lock first. */
export const AT_ONE_TIME = { isolationLevel: Prisma.TransactionIsolationLevel.RepeatableRead, maxWait: 15_000, timeout: 60_000 } as const;
/** Postgres channel on which control planes hear that what pages show of a team's stacks has changed. */
export const STACK_NEWS_CHANNEL = "flotilla_stack_news";
const LOCK_CLASS = 72_707_370;

/** Wakes the control planes when the transaction commits. */
export async function notifyStacks(tx: Transaction, teamId: string): Promise<void> {
  await tx.$executeRaw(Prisma.sql`SELECT pg_notify(${STACKS_CHANNEL}, ${teamId})`);
  await tellPages(tx, teamId);
}

/** Makes the pages of a team ask anew, when the transaction commits. */
export async function tellPages(tx: Transaction, teamId: string): Promise<void> {
  await tx.$executeRaw(Prisma.sql`SELECT pg_notify(${STACK_NEWS_CHANNEL}, ${teamId})`);
}

/** Stacks of a team are changed by one transaction at a time, whichever control plane it is of. */
export async function lockStacks(tx: Transaction, teamId: string): Promise<void> {
  await tx.$executeRaw(Prisma.sql`SELECT pg_advisory_xact_lock(${LOCK_CLASS}::int, hashtext(${teamId}))`);
}

export type ReplicaRow = Omit<StackReplica, "target"> & { target: ServiceTarget; observed: ObservedReplica | undefined };
export type ServiceRow = Omit<StackService, "target" | "stable"> & {
  target: ServiceTarget;
  stable: ServiceTarget | null;
  replicas: ReplicaRow[];
  addresses: StackAddress[];
};
export type StackRow = Stack & { services: ServiceRow[]; volumes: StackVolume[] };
export type HostRow = Pick<Host, "id" | "name" | "number" | "labels" | "availability" | "downSince" | "facts"> & {
  /** Of a host of another team what its grant lends; null: the team's own. */
  share: { mayRun: boolean; limits: GuardLimits } | null;
  /** What it said last; undefined: nothing that can be read. */
  use: HostUse | undefined;
};
export type StackRows = { stacks: StackRow[]; hosts: HostRow[] };

/** A team's stacks, or one of them, with what hosts say of the replicas. */
export async function readStackRows(tx: Transaction, teamId: string, name?: string): Promise<StackRows> {
  const stacks = await tx.stack.findMany({
    where: { teamId, ...(name === undefined ? {} : { name }) },
    include: { volumes: true, services: { include: { replicas: { orderBy: { id: "asc" } }, addresses: true }, orderBy: { name: "asc" } } },
    orderBy: { id: "asc" },
  });
  const hosts = await readHosts(tx, teamId);
  const said = await tx.hostObserved.findMany({
    where: { hostId: { in: hosts.map(({ id }) => id) }, OR: [{ key: { startsWith: `${REPLICA_KIND}/` } }, { key: HOST_USE }] },
    select: { hostId: true, key: true, body: true },
  });
  const { namespace } = await tx.team.findUniqueOrThrow({ where: { id: teamId }, select: { namespace: true } });
  const uses = new Map(
    said.flatMap(({ hostId, key, body }) => (key === HOST_USE ? [[hostId, useIn(namespace, hostUse.safeParse(body).data)] as const] : [])),
  );
  const observed = new Map(
    said.map(({ hostId, key, body }) => [`${hostId} ${key.slice(REPLICA_KIND.length + 1)}`, observedReplica.safeParse(body).data]),
  );
  return {
    hosts: hosts.map((host) => ({ ...host, use: uses.get(host.id) })),
    stacks: stacks.map((stack) => ({
      ...stack,
      services: stack.services.map((service) => ({
        ...service,
        target: serviceTarget.parse(service.target),
        stable: service.stable === null ? null : serviceTarget.parse(service.stable),
        replicas: service.replicas.map((replica) => ({
          ...replica,
          target: serviceTarget.parse(replica.target),
          observed: observed.get(`${replica.hostId} ${replica.id}`),
        })),
      })),
    })),
  };
}

/** Rights that a grant has to lend for replicas to be made, moved and taken away. */
const RUNNING: readonly Right[] = ["image.pull", "container.run", "container.control", "container.remove"];

/** Hosts where stacks of a team may be, or are: its own, and those that are shared with it. */
export function stackHosts(teamId: string): Prisma.HostWhereInput {
  return { OR: [{ teamId }, { grants: { some: { teamId } } }, { replicas: { some: { service: { stack: { teamId } } } } }] };
}

async function readHosts(tx: Transaction, teamId: string): Promise<Omit<HostRow, "use">[]> {
  const found = await tx.host.findMany({
    where: stackHosts(teamId),
    select: {
      id: true,
      name: true,
      number: true,
      labels: true,
      availability: true,
      downSince: true,
      facts: true,
      teamId: true,
      grants: { where: { teamId } },
    },
    orderBy: { number: "asc" },
  });
  return found.map(({ teamId: owner, grants: [grant], ...host }) => {
    if (owner === teamId) return { ...host, share: null };
    const rights = toRights(grant?.rights ?? []);
    return { ...host, share: { mayRun: RUNNING.every((right) => rights.has(right)), limits: grant === undefined ? {} : limitsOf(grant) } };
  });
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
