import { FlotillaError } from "@flotilla/core";
import { type Host, Prisma, type Team, type Transaction } from "@flotilla/db";
import {
  type ComposedState,
  documentExcess,
  hashDocument,
  kindOf,
  makeResource,
  type Resource,
  type ResourceBody,
} from "@flotilla/protocol";
import { z } from "zod";
import type { ComposeScene, ServiceContext } from "../context.ts";

const PATIENT = { maxWait: 15_000, timeout: 60_000 } as const;

const stateRows = z.array(z.object({ hostId: z.string(), generation: z.number(), hash: z.string() }));
type State = { generation: number; hash: string };

/** `above`: the host has this generation of something else, so the answer is newer. */
export type CompositionWish = { hostId: string; above: number };
/** By id of the host: its state, or why there is none. */
export type Compositions = ReadonlyMap<string, ComposedState | FlotillaError>;

/**
 * What a host shall be now, with its generation, which rises when the hash is another than the last time.
 *
 * @throws not_found once the host was removed, exhausted when it is more than the channel carries.
 */
export async function composeHostState(services: ServiceContext, hostId: string, above = 0): Promise<ComposedState> {
  const composed = (await composeHostStates(services, [{ hostId, above }])).get(hostId) ?? unknown(hostId);
  if (composed instanceof FlotillaError) throw composed;
  return composed;
}

/**
 * The same for some hosts, team by team: what is a team's is read once for all its hosts. Rows of hosts' states are locked before
 * anything is read, so that of two control planes the later one reads the newer rows: an older state is never told as a newer
 * generation. What the database or a composer throws fails all of them.
 */
export async function composeHostStates(services: ServiceContext, wishes: readonly CompositionWish[]): Promise<Compositions> {
  const composed = new Map<string, ComposedState | FlotillaError>(wishes.map(({ hostId }) => [hostId, unknown(hostId)]));
  const hosts = await findTeams(services, [...composed.keys()]);
  for (const [teamId, members] of Map.groupBy(hosts, (host) => host.teamId)) {
    const ids = new Set(members.map(({ id }) => id));
    const mine = wishes.filter(({ hostId }) => ids.has(hostId));
    const made = await services.prisma.$transaction((tx) => composeTeam(services, tx, { teamId, wishes: mine }), PATIENT);
    for (const [hostId, state] of made) composed.set(hostId, state);
  }
  return composed;
}

const unknown = (hostId: string): FlotillaError => new FlotillaError("not_found", `no such host: ${hostId}`);

type Wished = { teamId: string; wishes: readonly CompositionWish[] };

async function composeTeam(services: ServiceContext, tx: Transaction, { teamId, wishes }: Wished): Promise<Compositions> {
  const ids = wishes.map(({ hostId }) => hostId);
  const last = await lockStates(tx, ids);
  // A host that was removed or went to another team meanwhile is not among them.
  const found = await tx.host.findMany({ where: { id: { in: ids }, teamId }, include: { team: true }, orderBy: { id: "asc" } });
  const [first] = found;
  if (first === undefined) return new Map();
  const hosts = found.filter(({ id }) => last.has(id));
  const composed = await composeResources(sceneOf({ services, tx, team: first.team, hosts }));
  const states = hosts.map((host) => toState(host, { resources: composed.get(host.id) ?? [], last: last.get(host.id), wishes }));
  await saveStates(tx, { changed: states.filter(({ isSame }) => !isSame), now: new Date(services.nowMs()) });
  return new Map(states.map(({ hostId, state }) => [hostId, state]));
}

type Made = { hostId: string; state: ComposedState | FlotillaError; isSame: boolean };
type Before = { resources: readonly Resource[]; last: State | undefined; wishes: readonly CompositionWish[] };

function toState({ id: hostId, name }: Host, { resources, last, wishes }: Before): Made {
  const excess = documentExcess(resources);
  if (excess !== undefined) {
    const error = new FlotillaError("exhausted", `the desired state of host ${name} is too large: ${excess}`);
    return { hostId, state: error, isSame: true };
  }
  const above = Math.max(0, ...wishes.filter((wish) => wish.hostId === hostId).map((wish) => wish.above));
  const [hash, before] = [hashDocument(resources), last?.generation ?? 0];
  const isSame = last?.hash === hash && before > above;
  return { hostId, state: { generation: isSame ? before : Math.max(before, above) + 1, hash, resources }, isSame };
}

const hostRows = z.array(z.object({ id: z.string(), teamId: z.string(), isKnown: z.boolean() }));

/** Makes sure of the rows that are locked afterwards. */
async function findTeams({ prisma }: ServiceContext, ids: readonly string[]): Promise<{ id: string; teamId: string }[]> {
  const found = await prisma.$queryRaw(Prisma.sql`
    SELECT id, team_id AS "teamId", EXISTS (SELECT FROM host_states WHERE host_id = id) AS "isKnown" FROM hosts WHERE id = ANY(${ids})`);
  const hosts = hostRows.parse(found);
  if (hosts.some(({ isKnown }) => !isKnown))
    await prisma.$executeRaw(Prisma.sql`
      INSERT INTO host_states (host_id) SELECT id FROM hosts WHERE id = ANY(${ids}) ORDER BY id ON CONFLICT (host_id) DO NOTHING`);
  return hosts;
}

/** Always in the same order: two that lock several never wait for each other. */
async function lockStates(tx: Transaction, ids: readonly string[]): Promise<Map<string, State>> {
  const rows = await tx.$queryRaw(Prisma.sql`
    SELECT host_id AS "hostId", generation::float8 AS generation, hash FROM host_states
    WHERE host_id = ANY(${ids}) ORDER BY host_id FOR UPDATE`);
  return new Map(stateRows.parse(rows).map(({ hostId, ...state }) => [hostId, state]));
}

async function saveStates(tx: Transaction, { changed, now }: { changed: readonly Made[]; now: Date }): Promise<void> {
  const rows = changed.flatMap(({ hostId, state }) => (state instanceof FlotillaError ? [] : [{ hostId, ...state }]));
  if (rows.length === 0) return;
  await tx.$executeRaw(Prisma.sql`
    UPDATE host_states SET generation = made.generation, hash = made.hash, composed_at = ${now}
    FROM unnest(${rows.map(({ hostId }) => hostId)}::text[], ${rows.map(({ generation }) => generation)}::bigint[],
      ${rows.map(({ hash }) => hash)}::text[]) AS made(host_id, generation, hash) WHERE host_states.host_id = made.host_id`);
}

/** Composer by composer, so that what was committed before what needs it is read with it, for whichever host. */
async function composeResources(scene: ComposeScene): Promise<Map<string, Resource[]>> {
  const { composers } = scene.services;
  const composed = new Map<string, Resource[]>(scene.hosts.map(({ id }) => [id, []]));
  // What is the same for several hosts is hashed once.
  const known = new WeakMap<ResourceBody, Resource>();
  for (const composer of composers) {
    for (const host of scene.hosts) {
      for (const [id, body] of await composer.compose({ ...scene, host })) {
        const resource = known.get(body) ?? makeResource(composedKey(composer.kind, id), body);
        known.set(body, resource);
        composed.get(host.id)?.push(resource);
      }
    }
  }
  const foreign = [...composed.values()].flat().find(({ key }) => !composers.some(({ kind }) => kind === kindOf(key)));
  if (foreign !== undefined) throw new FlotillaError("internal", `${foreign.key} is of no composer's kind`);
  return composed;
}

function sceneOf(parts: Omit<ComposeScene, "once"> & { hosts: readonly (Host & { team: Team })[] }): ComposeScene {
  const known = new Map<unknown, unknown>();
  const scene: ComposeScene = {
    ...parts,
    once: async <T>(read: (scene: ComposeScene) => Promise<T>): Promise<T> => {
      if (!known.has(read)) known.set(read, await read(scene));
      return known.get(read) as T;
    },
  };
  return scene;
}

/** The key of a composer's resource. */
export function composedKey(kind: string, id: string): string {
  return id === "" ? kind : `${kind}/${id}`;
}
