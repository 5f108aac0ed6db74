import { toFlotillaError } from "@flotilla/core";
import { Prisma, type Transaction } from "@flotilla/db";
import type { ServiceContext } from "../context.ts";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { NETWORK, type OverlayRows, readOverlayRows } from "./overlay-rows.ts";
import { type LeaseChanges, type LeaseHost, planLeases, REST_MS } from "./plan-leases.ts";

const PATIENT = { maxWait: 15_000, timeout: 30_000 } as const;

/**
 * Brings a team's networks to rest: every host has blocks, no more than it needs; what was given back and has rested is free;
 * old tombstones go. Level-triggered: called after whatever may have changed something, and now and then.
 */
export async function settleOverlays(services: ServiceContext, teamId: string): Promise<void> {
  await services.prisma.$transaction(async (tx) => {
    // Without networks, which is most teams, nobody waits for anybody.
    if ((await tx.overlayNetwork.count({ where: { teamId } })) === 0) return;
    await lockTeam(tx, teamId);
    const isChanged = [await settleLeases(services, tx, teamId), await dropTombstones(services, tx, teamId)].includes(true);
    if (isChanged) await notifyHostState(tx, { teamId });
  }, PATIENT);
}

/** Whoever changes leases of a team does so one after the other. The row may be referred to meanwhile. */
export async function lockTeam(tx: Transaction, teamId: string): Promise<void> {
  await tx.$executeRaw(Prisma.sql`SELECT 1 FROM teams WHERE id = ${teamId} FOR NO KEY UPDATE`);
}

/** Leases what is missing and takes back what is not needed. Under the team's lock. Returns whether hosts are to be told. */
export async function settleLeases(services: ServiceContext, tx: Transaction, teamId: string): Promise<boolean> {
  const rows = await readOverlayRows(tx, teamId);
  const changes = planLeases(rows.networks, await readLeaseHosts(services, { tx, rows }), services.nowMs());
  for (const { networkId, hostId } of changes.exhausted)
    services.logger.warn("no block of addresses is left for a host", { networkId, hostId });
  return applyLeases(services, tx, changes);
}

async function readLeaseHosts(services: ServiceContext, from: { tx: Transaction; rows: OverlayRows }): Promise<LeaseHost[]> {
  const { tx, rows } = from;
  const states = await tx.hostState.findMany({ where: { hostId: { in: rows.hosts.map(({ id }) => id) } } });
  const current = new Set(states.filter((state) => state.appliedGeneration === state.generation).map(({ hostId }) => hostId));
  // What was said so long ago says of nothing any more that it rests.
  const recent = await tx.hostObserved.findMany({
    where: {
      hostId: { in: rows.hosts.map(({ id }) => id) },
      key: { startsWith: `${NETWORK}/` },
      updatedAt: { gte: new Date(services.nowMs() - REST_MS) },
    },
    select: { hostId: true, key: true },
  });
  const isRecent = new Set(recent.map(({ hostId, key }) => `${hostId} ${key}`));
  return rows.hosts.map(({ id }) => {
    const said = [...rows.observed].flatMap(([networkId, byHost]) => {
      const network = byHost.get(id);
      return network === undefined ? [] : [{ networkId, ...network }];
    });
    return {
      id,
      isCurrent: current.has(id) && services.links.state(id).isOnline,
      used: new Map(said.map(({ networkId, endpoints }) => [networkId, endpoints.map(({ address }) => address)])),
      resting: new Map(said.map(({ networkId, resting }) => [networkId, isRecent.has(`${id} ${NETWORK}/${networkId}`) ? resting : 0])),
      pins: new Map(said.flatMap(({ networkId, pins }) => (pins === undefined ? [] : [[networkId, pins] as const]))),
    };
  });
}

async function applyLeases(services: ServiceContext, tx: Transaction, changes: LeaseChanges): Promise<boolean> {
  const now = new Date(services.nowMs());
  const { lease, release, restore, free } = changes;
  // What rested goes first: nothing new overlaps with it in this round, but the next one may use it.
  if (free.length > 0) await tx.overlayLease.deleteMany({ where: { id: { in: free } } });
  if (release.length > 0) await tx.overlayLease.updateMany({ where: { id: { in: release } }, data: { releasedAt: now } });
  if (restore.length > 0) await tx.overlayLease.updateMany({ where: { id: { in: restore } }, data: { releasedAt: null } });
  if (lease.length > 0) await tx.overlayLease.createMany({ data: lease.map((item) => ({ ...item, kind: "block", leasedAt: now })) });
  return lease.length + release.length + restore.length > 0;
}

async function dropTombstones(services: ServiceContext, tx: Transaction, teamId: string): Promise<boolean> {
  const before = new Date(services.nowMs() - REST_MS);
  const { count } = await tx.overlayTombstone.deleteMany({ where: { network: { teamId }, diedAt: { lt: before } } });
  return count > 0;
}

/** Settles all teams that have networks. What fails for one does not keep the others. */
export async function settleAllOverlays(services: ServiceContext): Promise<void> {
  const teams = await services.prisma.team.findMany({ where: { overlayNetworks: { some: {} } }, select: { id: true } });
  for (const { id } of teams) {
    try {
      await settleOverlays(services, id);
    } catch (error) {
      services.logger.warn("overlay networks of a team could not be settled", { teamId: id, error: toFlotillaError(error).message });
    }
  }
}
