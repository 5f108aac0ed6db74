import type { Transaction } from "@flotilla/db";
import { HOST_UNDERLAY, kindOf, type ObservedMessage, observedNetwork } from "@flotilla/protocol";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { NETWORK } from "./overlay-rows.ts";

export type NoteNetworks = { hostId: string; message: ObservedMessage; now: Date };

/** What of a report makes the desired state of the team's other hosts another. */
export function concernsNetworks(key: string): boolean {
  return kindOf(key) === NETWORK || key === HOST_UNDERLAY;
}

/**
 * Compares what a host is about to say of its networks with what it said before: endpoints that are gone get a tombstone, and
 * the team's hosts are told. Before the report is stored, in its transaction. A snapshot without a network is no end of its
 * endpoints (the agent may have begun a moment ago): they leave the names, and open connections to them stay open.
 */
export async function noteNetworks(tx: Transaction, { hostId, message, now }: NoteNetworks): Promise<void> {
  const isWhole = message.type === "observed_snapshot";
  const said = isWhole ? message.resources : message.set;
  const changed = new Set([...said.map(({ key }) => key), ...(isWhole ? [] : message.remove)].filter(concernsNetworks));
  if (changed.size === 0 && !isWhole) return;
  const stored = await tx.hostObserved.findMany({
    where: { hostId, OR: [{ key: HOST_UNDERLAY }, { key: { startsWith: `${NETWORK}/` } }] },
    select: { key: true, revision: true, body: true },
  });
  const before = new Map(stored.filter(({ key }) => isWhole || changed.has(key)).map((row) => [row.key, row]));
  const after = new Map(said.map((item) => [item.key, item]));
  const keys = [...new Set([...before.keys(), ...changed])];
  if (keys.every((key) => before.get(key)?.revision === after.get(key)?.revision)) return;
  const host = await tx.host.findUnique({ where: { id: hostId }, select: { teamId: true } });
  if (host === null) return;
  const gone = keys
    .filter((key) => kindOf(key) === NETWORK && changed.has(key))
    .flatMap((key) => {
      const alive = new Set(addressesOf(after.get(key)?.body));
      const lost = addressesOf(before.get(key)?.body).filter((address) => !alive.has(address));
      return lost.map((address) => ({ networkId: key.slice(NETWORK.length + 1), address }));
    });
  await bury(tx, { teamId: host.teamId, gone, now });
  await notifyHostState(tx, { teamId: host.teamId });
}

type Burial = { teamId: string; gone: { networkId: string; address: string }[]; now: Date };

async function bury(tx: Transaction, { teamId, gone, now }: Burial): Promise<void> {
  if (gone.length === 0) return;
  const known = await tx.overlayNetwork.findMany({
    where: { teamId, id: { in: gone.map(({ networkId }) => networkId) } },
    select: { id: true },
  });
  const ids = new Set(known.map(({ id }) => id));
  const rows = gone.filter(({ networkId }) => ids.has(networkId));
  if (rows.length === 0) return;
  await tx.overlayTombstone.deleteMany({ where: { OR: rows } });
  await tx.overlayTombstone.createMany({ data: rows.map((row) => ({ ...row, diedAt: now })), skipDuplicates: true });
}

function addressesOf(body: unknown): string[] {
  return observedNetwork.safeParse(body).data?.endpoints.map(({ address }) => address) ?? [];
}
