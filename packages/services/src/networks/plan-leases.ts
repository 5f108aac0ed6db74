// Which blocks of addresses are to be leased, given back or freed now. Pure: rows in, changes out.
import { containsAddress, formatSubnet, parseAddress, parseSubnet, type Subnet, subnetOf, subnetSize } from "@flotilla/core";

/** What was given back rests so long: other hosts may still send to its addresses. The same as for single addresses. */
export const REST_MS = 120_000;
/** A block was leased for containers that are about to be there: so long it is not taken back for being empty. */
const SETTLED_MS = 30_000;
/** A host gets another block when fewer than this part of its addresses is free. */
const SHORT = 1 / 4;

/** What was pinned so short a time ago may be about to be used, without its host having said so. */
export const PIN_RESTS_MS = 60_000;

export type Lease = { id: string; kind: string; hostId: string | null; cidr: string; leasedAt: Date; releasedAt: Date | null };
export type LeasedNetwork = { id: string; subnet: string; addressRange: string | null; blockLength: number; leases: readonly Lease[] };
export type LeaseHost = {
  id: string;
  /** Connected, and its newest desired state is applied: what was taken from it, it has let go. */
  isCurrent: boolean;
  /** Addresses of its endpoints, by network. */
  used: ReadonlyMap<string, readonly string[]>;
  /** Pinned addresses that a container of its asks for, by network; none for a network of which it has not said. */
  pins?: ReadonlyMap<string, readonly string[]>;
  /** How many addresses it gives to nobody yet, by network. */
  resting: ReadonlyMap<string, number>;
};

export type LeaseChanges = {
  lease: { networkId: string; hostId: string; cidr: string }[];
  release: string[];
  /** Given back a moment ago and used nevertheless: an endpoint came while the host was told. */
  restore: string[];
  /** Rested: anybody may lease it. */
  free: string[];
  /** Hosts for which nothing is left. */
  exhausted: { networkId: string; hostId: string }[];
};

export function planLeases(networks: readonly LeasedNetwork[], hosts: readonly LeaseHost[], nowMs: number): LeaseChanges {
  const changes: LeaseChanges = { lease: [], release: [], restore: [], free: [], exhausted: [] };
  const isOld = ({ leasedAt }: Lease): boolean => nowMs - leasedAt.getTime() >= SETTLED_MS;
  for (const network of networks) {
    const { taken, pinned } = takenOf(network.leases);
    for (const host of hosts) planHost({ network, host, taken, pinned, changes, isOld });
    for (const host of hosts) planPins({ network, host, changes, nowMs });
    planReturns({ network, hosts, changes, nowMs });
  }
  return changes;
}

type HostPlan = {
  network: LeasedNetwork;
  host: LeaseHost;
  taken: Set<number>;
  pinned: readonly number[];
  changes: LeaseChanges;
  isOld: (lease: Lease) => boolean;
};

function planHost({ network, host, taken, pinned, changes, isOld }: HostPlan): void {
  const own = network.leases.filter((lease) => lease.kind === "block" && lease.hostId === host.id);
  const used = (host.used.get(network.id) ?? []).map(parseAddress);
  const usedIn = (lease: Lease): number => used.filter((address) => containsAddress(parseSubnet(lease.cidr), address)).length;
  changes.restore.push(...own.filter((lease) => lease.releasedAt !== null && usedIn(lease) > 0).map(({ id }) => id));
  const held = own.filter((lease) => lease.releasedAt === null || usedIn(lease) > 0);
  const size = 2 ** (32 - network.blockLength);
  // The first address of the first block is the host's router.
  const resting = host.resting.get(network.id) ?? 0;
  const free = Math.max(0, held.length * size - 1 - resting - held.reduce((sum, lease) => sum + usedIn(lease), 0));
  if (held.length === 0 || free < held.length * size * SHORT) {
    const cidr = firstFree(network, taken, pinned);
    if (cidr !== undefined) changes.lease.push({ networkId: network.id, hostId: host.id, cidr: formatSubnet(cidr) });
    else changes.exhausted.push({ networkId: network.id, hostId: host.id });
    return;
  }
  // Never the first: the router's address is in it. One at a time, and only while what stays is at least half free.
  const spare = held.slice(1).findLast((lease) => lease.releasedAt === null && usedIn(lease) === 0 && isOld(lease));
  if (spare !== undefined && free - size >= (held.length - 1) * size * 2 * SHORT) changes.release.push(spare.id);
}

/** A pin goes when its host says that no container asks for it, whether it runs or not, and comes back when one does. */
function planPins(plan: { network: LeasedNetwork; host: LeaseHost; changes: LeaseChanges; nowMs: number }): void {
  const { network, host, changes, nowMs } = plan;
  const needed = host.pins?.get(network.id);
  if (needed === undefined) return;
  const addresses = new Set([...needed, ...(host.used.get(network.id) ?? [])]);
  for (const { id, kind, hostId, cidr, leasedAt, releasedAt } of network.leases) {
    if (kind !== "pin" || hostId !== host.id) continue;
    const isNeeded = addresses.has(cidr.split("/")[0] ?? "");
    if (isNeeded && releasedAt !== null) changes.restore.push(id);
    if (!isNeeded && releasedAt === null && host.isCurrent && nowMs - leasedAt.getTime() >= PIN_RESTS_MS) changes.release.push(id);
  }
}

type AddressTable = Pick<LeasedNetwork, "subnet" | "addressRange" | "blockLength">;

/** The block that a host would get next; undefined when the network has none. */
export function nextHostBlock(network: Omit<LeasedNetwork, "id">): string | undefined {
  const { taken, pinned } = takenOf(network.leases);
  const block = firstFree(network, taken, pinned);
  return block === undefined ? undefined : formatSubnet(block);
}

function takenOf(leases: readonly Lease[]): { taken: Set<number>; pinned: number[] } {
  const taken = new Set(leases.filter(({ kind }) => kind !== "pin").map(({ cidr }) => parseSubnet(cidr).first));
  const pinned = leases.filter(({ kind }) => kind === "pin").map(({ cidr }) => parseAddress(cidr.split("/")[0] ?? ""));
  return { taken, pinned };
}

function firstFree({ subnet, addressRange, blockLength }: AddressTable, taken: Set<number>, pinned: readonly number[]): Subnet | undefined {
  const range = parseSubnet(addressRange ?? subnet);
  const end = range.first + subnetSize(range);
  for (let first = range.first; first < end; first += 2 ** (32 - blockLength)) {
    const block = subnetOf(first, blockLength);
    if (taken.has(first) || pinned.some((address) => containsAddress(block, address))) continue;
    taken.add(first);
    return block;
  }
  return undefined;
}

function planReturns(plan: { network: LeasedNetwork; hosts: readonly LeaseHost[]; changes: LeaseChanges; nowMs: number }): void {
  const { network, hosts, changes, nowMs } = plan;
  const current = new Set(hosts.filter(({ isCurrent }) => isCurrent).map(({ id }) => id));
  for (const lease of network.leases) {
    if (lease.kind === "reserved") continue;
    if (lease.hostId === null && lease.releasedAt === null) changes.release.push(lease.id);
    if (lease.releasedAt === null || changes.restore.includes(lease.id) || nowMs - lease.releasedAt.getTime() < REST_MS) continue;
    // A host that is away may still give addresses from it: it is waited for, or removed.
    if (lease.hostId === null || current.has(lease.hostId)) changes.free.push(lease.id);
  }
}
