import { FlotillaError } from "@flotilla/core";
import { type Host, Prisma, type Team, type Transaction } from "@flotilla/db";
import { type ComposedState, documentExcess, hashDocument, kindOf, makeResource, type Resource } from "@flotilla/protocol";
import { z } from "zod";
import type { ComposeInput, ComposeScene, ServiceContext } from "../context.ts";

const PATIENT = { maxWait: 15_000, timeout: 60_000 } as const;

const stateRows = z.array(z.object({ generation: z.coerce.number(), hash: z.string() }));

/**
 * What a host shall be now, with its generation, which rises when the hash is another than the last time. The host's row is
 * locked before anything is read, so that of two control planes the later one reads the newer rows: an older state is never
 * told as a newer generation.
 *
 * @param above the host has this generation of something else: the answer is newer.
 * @throws not_found once the host was removed, exhausted when it is more than the channel carries.
 */
export async function composeHostState(services: ServiceContext, hostId: string, above = 0): Promise<ComposedState> {
  return services.prisma.$transaction(async (tx) => {
    const host = await tx.host.findUnique({ where: { id: hostId }, include: { team: true } });
    if (host === null) throw new FlotillaError("not_found", `no such host: ${hostId}`);
    const last = await lockState(tx, hostId);
    const resources = await composeResources(services, tx, host);
    const excess = documentExcess(resources);
    if (excess !== undefined) throw new FlotillaError("exhausted", `the desired state of host ${host.name} is too large: ${excess}`);
    const hash = hashDocument(resources);
    const isSame = last.hash === hash && last.generation > above;
    const generation = isSame ? last.generation : Math.max(last.generation, above) + 1;
    if (!isSame) {
      const composedAt = new Date(services.nowMs());
      await tx.hostState.update({ where: { hostId }, data: { generation: BigInt(generation), hash, composedAt } });
    }
    return { generation, hash, resources };
  }, PATIENT);
}

async function lockState(tx: Transaction, hostId: string): Promise<{ generation: number; hash: string }> {
  await tx.$executeRaw(Prisma.sql`INSERT INTO host_states (host_id) VALUES (${hostId}) ON CONFLICT (host_id) DO NOTHING`);
  const rows = await tx.$queryRaw(
    Prisma.sql`SELECT generation::float8 AS generation, hash FROM host_states WHERE host_id = ${hostId} FOR UPDATE`,
  );
  const [row] = stateRows.parse(rows);
  if (row === undefined) throw new FlotillaError("not_found", `no such host: ${hostId}`);
  return row;
}

async function composeResources(services: ServiceContext, tx: Transaction, host: Host & { team: Team }): Promise<Resource[]> {
  const resources: Resource[] = [];
  const scene = { services, tx, host };
  const input = { ...scene, once: onceEach(scene) };
  for (const composer of services.composers) {
    for (const [id, body] of await composer.compose(input)) resources.push(makeResource(composedKey(composer.kind, id), body));
  }
  const foreign = resources.find(({ key }) => !services.composers.some(({ kind }) => kind === kindOf(key)));
  if (foreign !== undefined) throw new FlotillaError("internal", `${foreign.key} is of no composer's kind`);
  return resources;
}

/** Each reader's answer, kept for the length of one composition. */
function onceEach(scene: ComposeScene): ComposeInput["once"] {
  const known = new Map<unknown, unknown>();
  return async <T>(read: (scene: ComposeScene) => Promise<T>): Promise<T> => {
    if (!known.has(read)) known.set(read, await read(scene));
    return known.get(read) as T;
  };
}

/** The key of a composer's resource. */
export function composedKey(kind: string, id: string): string {
  return id === "" ? kind : `${kind}/${id}`;
}
