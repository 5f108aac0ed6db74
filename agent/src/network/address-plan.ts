// Which subnet a new network gets, and which address a new endpoint. Pure: what is taken comes in.
import {
  containsAddress,
  FlotillaError,
  formatSubnet,
  parseSubnet,
  type Subnet,
  subnetOf,
  subnetSize,
  subnetsOverlap,
} from "@flotilla/core";

/** Docker's pools first, in its order; then smaller pieces, since a host may carry many teams. */
const POOLS: readonly { base: Subnet; prefixLength: number }[] = [
  ...Array.from({ length: 11 }, (_, index) => ({ base: parseSubnet(`172.${17 + index}.0.0/16`), prefixLength: 16 })),
  { base: parseSubnet("172.28.0.0/14"), prefixLength: 20 },
  { base: parseSubnet("192.168.0.0/16"), prefixLength: 20 },
  { base: parseSubnet("10.128.0.0/9"), prefixLength: 20 },
];

/** The first subnet of the pools that overlaps nothing taken. @throws FlotillaError `exhausted`. */
export function chooseSubnet(taken: readonly Subnet[]): Subnet {
  for (const { base, prefixLength } of POOLS) {
    const step = 2 ** (32 - prefixLength);
    const occupied = new Set(taken.flatMap((other) => piecesCovered({ base, step }, other)));
    for (let piece = 0; piece < subnetSize(base) / step; piece += 1) {
      if (!occupied.has(piece)) return { first: base.first + piece * step, prefixLength };
    }
  }
  throw new FlotillaError(
    "exhausted",
    "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
  );
}

/** Numbers of the pieces of a pool that a subnet touches. */
function piecesCovered(pool: { base: Subnet; step: number }, subnet: Subnet): number[] {
  if (!subnetsOverlap(pool.base, subnet)) return [];
  const end = Math.min(subnet.first + subnetSize(subnet), pool.base.first + subnetSize(pool.base));
  const first = Math.floor((Math.max(subnet.first, pool.base.first) - pool.base.first) / pool.step);
  const last = Math.ceil((end - pool.base.first) / pool.step);
  return Array.from({ length: last - first }, (_, index) => first + index);
}

export type AddressSpace = {
  subnet: Subnet;
  /** Where addresses come from; the whole subnet when there is no range. */
  range: Subnet;
  gateway: number;
  used: ReadonlySet<number>;
  /** The address given last: the search starts behind it, so that a freed address rests as long as possible. */
  cursor: number;
};

/** @throws FlotillaError `exhausted` when every address of the range is in use. */
export function chooseAddress(space: AddressSpace): number {
  const size = subnetSize(space.range);
  const start = containsAddress(space.range, space.cursor) ? space.cursor + 1 - space.range.first : 0;
  for (let step = 0; step < size; step += 1) {
    const candidate = space.range.first + ((start + step) % size);
    if (isAssignable(space, candidate)) return candidate;
  }
  throw new FlotillaError("exhausted", `no available IPv4 addresses on this network's address pools: ${formatSubnet(space.subnet)}`);
}

/** Whether an endpoint may have this address: inside, neither first, last nor the gateway, and free. */
export function isAssignable(space: AddressSpace, address: number): boolean {
  const { subnet } = space;
  const isEdge = subnet.prefixLength < 31 && (address === subnet.first || address === subnet.first + subnetSize(subnet) - 1);
  return containsAddress(subnet, address) && !isEdge && address !== space.gateway && !space.used.has(address);
}

/** The gateway of a network whose creator named none: the first address. */
export const defaultGateway = (subnet: Subnet): number => subnetOf(subnet.first, subnet.prefixLength).first + 1;
