import {
  containsAddress,
  formatAddress,
  formatSubnet,
  parseAddress,
  parseSubnet,
  type Subnet,
  subnetOf,
  subnetSize,
  subnetsOverlap,
} from "@flotilla/core";
import type { OverlayLease, OverlayNetwork, Transaction } from "@flotilla/db";
import type { Projects } from "./stack-model.ts";
import type { StackRows } from "./stack-rows.ts";

type Round = { rows: StackRows; projects: Projects; now: Date };
type NetworkWithLeases = OverlayNetwork & { leases: OverlayLease[] };

/**
 * Gives every service a virtual address in each of its networks, out of the blocks that no host leases; takes one more block when they are
 * full. A service keeps its addresses as long as it is in the network. Returns whether hosts are to be told.
 */
export async function leaseAddresses(tx: Transaction, { rows, projects, now }: Round): Promise<boolean> {
  const [teamId] = rows.stacks.map((stack) => stack.teamId);
  if (teamId === undefined) return false;
  let networks: NetworkWithLeases[] | undefined;
  let isChanged = false;
  for (const stack of rows.stacks) {
    for (const service of stack.services) {
      const project = await projects.get(stack.id, service.target.revision);
      const model = project.services[service.name];
      if (model === undefined || service.isRemoved || stack.removedAt !== null || model.deploy.endpointMode === "dnsrr") continue;
      const names = Object.keys(model.networks).map((key) => project.networks[key]?.name ?? key);
      if (names.length <= service.addresses.length) continue;
      networks ??= await tx.overlayNetwork.findMany({ where: { teamId }, include: { leases: true } });
      const missing = networks.filter(
        ({ id, name }) => names.includes(name) && !service.addresses.some(({ networkId }) => networkId === id),
      );
      for (const network of missing) {
        const address = await lease(tx, network, now);
        if (address === undefined) continue;
        service.addresses.push(await tx.stackAddress.create({ data: { serviceId: service.id, networkId: network.id, address } }));
        isChanged = true;
      }
    }
  }
  return isChanged;
}

async function lease(tx: Transaction, network: NetworkWithLeases, now: Date): Promise<string | undefined> {
  const taken = await tx.stackAddress.findMany({ where: { networkId: network.id }, select: { address: true } });
  const used = new Set([network.gateway, ...taken.map(({ address }) => address)]);
  const reserved = network.leases.filter(({ kind }) => kind === "reserved").map(({ cidr }) => toSubnet(cidr));
  const free = firstFree(parseSubnet(network.subnet), reserved, used);
  if (free !== undefined) return free;
  const block = nextBlock(network);
  if (block === undefined) return undefined;
  const made = await tx.overlayLease.create({
    data: { networkId: network.id, kind: "reserved", cidr: formatSubnet(block), leasedAt: now },
  });
  network.leases.push(made);
  return firstFree(parseSubnet(network.subnet), [block], used);
}

/** The first address of the blocks that nobody has. Pure. Never a network's own first or last address. */
export function firstFree(subnet: Subnet, blocks: readonly Subnet[], used: ReadonlySet<string>): string | undefined {
  const [first, last] = [subnet.first, subnet.first + subnetSize(subnet) - 1];
  for (const block of blocks.toSorted((a, b) => a.first - b.first)) {
    for (let address = block.first; address < block.first + subnetSize(block); address += 1) {
      if (address === first || address === last || !containsAddress(subnet, address)) continue;
      const text = formatAddress(address);
      if (!used.has(text)) return text;
    }
  }
  return undefined;
}

/** A block that nobody leases, from the end of the range: hosts take theirs from its begin. Pure. */
export function nextBlock({
  subnet,
  addressRange,
  blockLength,
  leases,
}: Pick<NetworkWithLeases, "subnet" | "addressRange" | "blockLength" | "leases">): Subnet | undefined {
  const range = parseSubnet(addressRange ?? subnet);
  const size = 2 ** (32 - blockLength);
  const held = leases.map(({ cidr }) => toSubnet(cidr));
  for (let first = range.first + subnetSize(range) - size; first >= range.first; first -= size) {
    const block = subnetOf(first, blockLength);
    if (!held.some((other) => subnetsOverlap(block, other))) return block;
  }
  return undefined;
}

/** Postgres leaves `/32` out. */
function toSubnet(cidr: string): Subnet {
  return cidr.includes("/") ? parseSubnet(cidr) : { first: parseAddress(cidr), prefixLength: 32 };
}
