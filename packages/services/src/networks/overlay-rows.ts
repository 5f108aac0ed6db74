import type { Host, OverlayLease, OverlayNetwork, Transaction } from "@flotilla/db";
import {
  HOST_UNDERLAY,
  hostUnderlay,
  type HostUnderlay,
  kindOf,
  type ObservedNetwork,
  observedNetwork,
  type ObservedPeers,
  observedPeers,
  PEERS,
} from "@flotilla/protocol";
import { z } from "zod";
import type { ComposeScene } from "../context.ts";
import { isEncrypted } from "./plan-network.ts";

/** Kind of the desired and of the observed resources of networks: `network/<id>`. */
export const NETWORK = "network";

/** A host as its networks see it. `underlay` null: it has not said where its packets go. */
export type OverlayHostRow = Pick<Host, "id" | "name" | "number" | "downSince"> & { underlay: HostUnderlay | null };

export type OverlayNetworkRow = OverlayNetwork & { leases: OverlayLease[]; tombstones: { address: string }[] };

/** Labels and options as they are stored. */
export const textMap = z.record(z.string(), z.string()).catch({});

export const isEncryptedRow = ({ options }: Pick<OverlayNetworkRow, "options">): boolean => isEncrypted(textMap.parse(options));

/** Everything that a team's overlay networks are made of. */
export type OverlayRows = {
  networks: OverlayNetworkRow[];
  /** By number. */
  hosts: OverlayHostRow[];
  /** By id of the network, then by id of the host, as that host said last. */
  observed: Map<string, Map<string, ObservedNetwork>>;
  /** What hosts see of their peers, by id of the host. */
  peers: Map<string, ObservedPeers>;
};

/** Those of the team whose hosts are composed. */
export const readTeamOverlays = ({ tx, team }: ComposeScene): Promise<OverlayRows> => readOverlayRows(tx, team.id);

/** Reads a team's networks; in a transaction, so that all of it is of one time. */
export async function readOverlayRows(tx: Transaction, teamId: string): Promise<OverlayRows> {
  const networks = await tx.overlayNetwork.findMany({
    where: { teamId },
    include: { leases: { orderBy: { cidr: "asc" } }, tombstones: { select: { address: true }, orderBy: { address: "asc" } } },
    orderBy: { id: "asc" },
  });
  const found = await tx.host.findMany({
    where: { teamId },
    select: { id: true, name: true, number: true, downSince: true },
    orderBy: { number: "asc" },
  });
  const said = await tx.hostObserved.findMany({
    where: { host: { teamId }, OR: [{ key: { in: [HOST_UNDERLAY, PEERS] } }, { key: { startsWith: `${NETWORK}/` } }] },
    select: { hostId: true, key: true, body: true },
  });
  const underlays = new Map<string, HostUnderlay>();
  const peers = new Map<string, ObservedPeers>();
  const observed: OverlayRows["observed"] = new Map();
  for (const { hostId, key, body } of said) {
    if (kindOf(key) === NETWORK) addObserved(observed, { hostId, networkId: key.slice(NETWORK.length + 1), body });
    else if (key === PEERS) setParsed(peers, hostId, observedPeers.safeParse(body).data);
    else setParsed(underlays, hostId, hostUnderlay.safeParse(body).data);
  }
  return { networks, hosts: found.map((host) => ({ ...host, underlay: underlays.get(host.id) ?? null })), observed, peers };
}

function setParsed<T>(map: Map<string, T>, hostId: string, parsed: T | undefined): void {
  if (parsed !== undefined) map.set(hostId, parsed);
}

/** What a host says and no schema knows is as if it had said nothing. */
function addObserved(observed: OverlayRows["observed"], said: { hostId: string; networkId: string; body: unknown }): void {
  const parsed = observedNetwork.safeParse(said.body);
  if (!parsed.success) return;
  const ofNetwork = observed.get(said.networkId) ?? new Map<string, ObservedNetwork>();
  observed.set(said.networkId, ofNetwork.set(said.hostId, parsed.data));
}
