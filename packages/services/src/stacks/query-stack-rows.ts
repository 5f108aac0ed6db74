import { Prisma, type Transaction } from "@flotilla/db";
import { HOST_USE, REPLICA_KIND } from "@flotilla/protocol";
import { z } from "zod";
import { serviceTarget } from "./stack-model.ts";

const instant = z.string().transform((text) => new Date(text));
/** Parsed where it is used. */
const json = z.unknown();
const stackColumns = z.object({
  id: z.string(),
  teamId: z.string(),
  name: z.string(),
  generation: z.int(),
  current: z.int(),
  removedAt: instant.nullable(),
  createdAt: instant,
});
const serviceColumns = z.object({
  id: z.string(),
  stackId: z.string(),
  name: z.string(),
  target: serviceTarget,
  stable: serviceTarget.nullable(),
  state: z.string(),
  message: z.string(),
  reasons: json,
  rollsBack: z.boolean(),
  isApproved: z.boolean(),
  startedAt: instant,
  isRemoved: z.boolean(),
});
const replicaColumns = z.object({
  id: z.string(),
  serviceId: z.string(),
  hostId: z.string(),
  slot: z.string(),
  hash: z.string(),
  target: serviceTarget,
  state: z.string(),
  because: z.string(),
  createdAt: instant,
  drainedAt: instant.nullable(),
  readyAt: instant.nullable(),
  failedAt: instant.nullable(),
  moveBecause: z.string().nullable(),
  reasons: json,
  adopts: z.string().nullable(),
  lastPhase: z.string(),
});
const grantColumns = z.object({
  rights: z.array(z.string()),
  maxContainers: z.int().nullable(),
  maxCpus: z.number().nullable(),
  maxMemoryBytes: z.number().nullable(),
  hostPorts: json,
});
const hostColumns = z.object({
  id: z.string(),
  name: z.string(),
  number: z.int(),
  teamId: z.string(),
  labels: json,
  availability: z.string(),
  downSince: instant.nullable(),
  facts: json,
  grant: grantColumns.nullable(),
});
const queried = z.tuple([
  z.object({
    namespace: z.string(),
    stacks: z.array(stackColumns),
    volumes: z.array(z.object({ stackId: z.string(), name: z.string(), hostId: z.string() })),
    services: z.array(serviceColumns),
    addresses: z.array(z.object({ serviceId: z.string(), networkId: z.string(), address: z.string() })),
    replicas: z.array(replicaColumns),
    hosts: z.array(hostColumns),
    said: z.array(z.object({ hostId: z.string(), key: z.string(), body: z.unknown() })),
  }),
]);
export type QueriedStacks = z.output<typeof queried>[0];

const list = (rows: Prisma.Sql): Prisma.Sql => Prisma.sql`(SELECT coalesce(json_agg(r), '[]'::json) FROM (${rows}) r)`;

/**
 * The tables behind a team's stacks, or one of them, in one statement: so all of it is of one time, and a round or a composition asks Postgres
 * once instead of nine times.
 */
export async function queryStacks(tx: Transaction, teamId: string, name?: string): Promise<QueriedStacks> {
  const rows = await tx.$queryRaw(Prisma.sql`
    WITH own AS MATERIALIZED (SELECT * FROM stacks WHERE team_id = ${teamId} AND (${name ?? null}::text IS NULL OR name = ${name ?? null})),
      parts AS MATERIALIZED (SELECT * FROM stack_services WHERE stack_id IN (SELECT id FROM own)),
      places AS MATERIALIZED (SELECT * FROM hosts h WHERE team_id = ${teamId}
        OR EXISTS (SELECT FROM host_grants WHERE host_id = h.id AND team_id = ${teamId})
        OR h.id IN (SELECT r.host_id FROM stack_replicas r JOIN stack_services v ON v.id = r.service_id JOIN stacks k ON k.id = v.stack_id
          WHERE k.team_id = ${teamId}))
    SELECT (SELECT namespace FROM teams WHERE id = ${teamId}) AS namespace,
      ${list(Prisma.sql`SELECT id, team_id AS "teamId", name, generation, current, removed_at AS "removedAt", created_at AS "createdAt" FROM own ORDER BY id`)} AS stacks,
      ${list(Prisma.sql`SELECT stack_id AS "stackId", name, host_id AS "hostId" FROM stack_volumes WHERE stack_id IN (SELECT id FROM own)`)} AS volumes,
      ${list(Prisma.sql`SELECT id, stack_id AS "stackId", name, target, stable, state, message, reasons, rolls_back AS "rollsBack",
        is_approved AS "isApproved", started_at AS "startedAt", is_removed AS "isRemoved" FROM parts ORDER BY name`)} AS services,
      ${list(Prisma.sql`SELECT service_id AS "serviceId", network_id AS "networkId", address FROM stack_addresses
        WHERE service_id IN (SELECT id FROM parts)`)} AS addresses,
      ${list(Prisma.sql`SELECT id, service_id AS "serviceId", host_id AS "hostId", slot, hash, target, state, because, created_at AS "createdAt",
        drained_at AS "drainedAt", ready_at AS "readyAt", failed_at AS "failedAt", move_because AS "moveBecause", reasons, adopts,
        last_phase AS "lastPhase" FROM stack_replicas WHERE service_id IN (SELECT id FROM parts) ORDER BY id`)} AS replicas,
      ${list(Prisma.sql`SELECT id, name, number, team_id AS "teamId", labels, availability, down_since AS "downSince", facts,
        (SELECT row_to_json(g) FROM (SELECT rights, max_containers AS "maxContainers", max_cpus AS "maxCpus", max_memory_bytes AS "maxMemoryBytes",
          host_ports AS "hostPorts" FROM host_grants WHERE host_id = places.id AND team_id = ${teamId}) g) AS "grant"
        FROM places ORDER BY number`)} AS hosts,
      ${list(Prisma.sql`SELECT host_id AS "hostId", key, body FROM host_observed
        WHERE host_id IN (SELECT id FROM places) AND (key LIKE ${`${REPLICA_KIND}/%`} OR key = ${HOST_USE})`)} AS said`);
  return queried.parse(rows)[0];
}
