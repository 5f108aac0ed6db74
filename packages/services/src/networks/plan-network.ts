// What a new overlay network is, from what was asked and what is there. Pure.
import { isIPv6 } from "node:net";
import { containsAddress, FlotillaError, formatAddress, formatSubnet, parseAddress, parseSubnet, type Subnet, subnetOf, subnetsOverlap } from "@flotilla/core"; // prettier-ignore
import type { NetworkRequest } from "@flotilla/protocol";

/** Where subnets come from that nobody asked for: away from Docker's 172.17-31 and 192.168 and from most companies' 10.0-10.63. */
export const DEFAULT_POOL = "10.64.0.0/10";
const DEFAULT_LENGTH = 20;
const MIN_LENGTH = 8;
const MAX_LENGTH = 28;
const MIN_MTU = 1_280;
const MAX_MTU = 65_535;
const ENCRYPTED_OPTION = "encrypted";
const MTU_OPTION = "com.docker.network.driver.mtu";
const PREDEFINED = new Set(["bridge", "host", "none", "default", "ingress"]);
/** Unspecified, loopback, link-local (routers use it themselves), multicast and beyond (RFC 6890). */
const UNUSABLE = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"].map(parseSubnet);

export type NetworkPlan = {
  subnet: string;
  gateway: string;
  addressRange: string | null;
  subnet6: string | null;
  blockLength: number;
  mtuBytes: number | null;
  /** Parts of the subnet that no host leases. */
  reserved: string[];
  warnings: string[];
};

export type NetworkSurroundings = {
  /** Makes the IPv6 prefix: 64 hexadecimal digits. */
  id: string;
  /** Subnets of the team's other overlay networks. */
  taken: readonly string[];
  /** Routes of the team's hosts, by name of the host. */
  routes: ReadonlyMap<string, readonly string[]>;
  /** How many hosts need a block at once. */
  hosts: number;
  pool?: string;
};

/** @throws FlotillaError in Docker's words: invalid, forbidden, not_implemented, exhausted. */
export function planNetwork(request: NetworkRequest, around: NetworkSurroundings): NetworkPlan {
  if (PREDEFINED.has(request.name))
    throw new FlotillaError("forbidden", `operation is not permitted on predefined ${request.name} network`);
  const mtuBytes = readOptions(request.options);
  const subnet = request.subnet === "" ? chooseSubnet(request, around) : checkSubnet(request.subnet);
  const gateway = chooseGateway(subnet, request.gateway);
  const range = request.addressRange === "" ? subnet : checkRange(subnet, request.addressRange);
  const blockLength = blockLengthOf(range);
  const reserved = reserve({ subnet, range, gateway, blockLength });
  const blocks = 2 ** (blockLength - range.prefixLength) - reserved.filter((block) => subnetsOverlap(block, range)).length;
  if (blocks < around.hosts)
    throw new FlotillaError(
      "exhausted",
      `${formatSubnet(range)} has ${blocks} blocks of addresses for ${around.hosts} hosts: give a larger one`,
    );
  return {
    subnet: formatSubnet(subnet),
    gateway: formatAddress(gateway),
    addressRange: request.addressRange === "" ? null : formatSubnet(range),
    subnet6: chooseSubnet6(request, around.id),
    blockLength,
    mtuBytes,
    reserved: reserved.map(formatSubnet),
    warnings: warn(subnet, around),
  };
}

/** Larger networks have larger blocks, so that a host has at most some hundreds; the smallest still hold a few containers. */
export function blockLengthOf(range: Subnet): number {
  if (range.prefixLength <= 16) return 26;
  if (range.prefixLength <= 24) return 28;
  return range.prefixLength === 25 ? 29 : 30;
}

/** Docker's `--opt encrypted`, with or without a value. @throws invalid for one that is neither true nor false. */
export function isEncrypted(options: Readonly<Record<string, string>>): boolean {
  const text = options[ENCRYPTED_OPTION];
  if (text === undefined || ["false", "0"].includes(text.toLowerCase())) return false;
  if (["", "true", "1"].includes(text.toLowerCase())) return true;
  throw new FlotillaError("invalid", `invalid value for option ${ENCRYPTED_OPTION}: ${text.slice(0, 20)} is neither true nor false`);
}

function readOptions(options: Readonly<Record<string, string>>): number | null {
  for (const name of Object.keys(options)) {
    if (name === ENCRYPTED_OPTION) isEncrypted(options);
    if (name.endsWith("vxlanid_list")) throw new FlotillaError("invalid", "the VXLAN id of a network cannot be chosen");
  }
  const text = options[MTU_OPTION];
  if (text === undefined) return null;
  const mtu = Number(text);
  if (/^\d{1,5}$/.test(text) && mtu >= MIN_MTU && mtu <= MAX_MTU) return mtu;
  throw new FlotillaError("invalid", `invalid MTU ${text.slice(0, 20)}: it must be ${MIN_MTU} to ${MAX_MTU}`);
}

/** Private addresses (RFC 1918), and those between a provider and its customers (RFC 6598): containers reach the rest outside. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"].map(parseSubnet);

/** A pool that an instance is told to take subnets from. @throws FlotillaError `invalid` with what is wrong. */
export function checkPool(text: string): string {
  const pool = checkSubnet(text);
  const isPrivate = PRIVATE.some((each) => containsAddress(each, pool.first) && each.prefixLength <= pool.prefixLength);
  if (!isPrivate) throw new FlotillaError("invalid", `invalid pool ${text}: it must be of private addresses`);
  if (pool.prefixLength > DEFAULT_LENGTH)
    throw new FlotillaError("invalid", `invalid pool ${text}: networks are /${DEFAULT_LENGTH}, so it must be at most /${DEFAULT_LENGTH}`);
  return text;
}

/** The first subnet of the pool that no network of the team has and no host routes elsewhere. */
function chooseSubnet(request: NetworkRequest, { taken, routes, pool = DEFAULT_POOL }: NetworkSurroundings): Subnet {
  if (request.gateway !== "" || request.addressRange !== "")
    throw new FlotillaError("invalid", "invalid network config: no matching subnet for gateway or range");
  const space = parseSubnet(pool);
  const avoided = [...taken, ...[...routes.values()].flat()].map(parseSubnet).filter((other) => other.prefixLength > 0);
  const step = 2 ** (32 - DEFAULT_LENGTH);
  for (let first = space.first; containsAddress(space, first); first += step) {
    const candidate = subnetOf(first, DEFAULT_LENGTH);
    if (!avoided.some((other) => subnetsOverlap(other, candidate))) return candidate;
  }
  throw new FlotillaError(
    "exhausted",
    `could not find an available, non-overlapping IPv4 address pool in ${pool} to assign to the network`,
  );
}

function checkSubnet(text: string): Subnet {
  const subnet = parseSubnet(text);
  if (formatSubnet(subnet) !== text) throw new FlotillaError("invalid", `invalid subnet ${text}: it should be ${formatSubnet(subnet)}`);
  if (subnet.prefixLength < MIN_LENGTH || subnet.prefixLength > MAX_LENGTH || UNUSABLE.some((other) => subnetsOverlap(other, subnet)))
    throw new FlotillaError("invalid", `invalid subnet ${text}: it must be of unicast addresses and be /${MIN_LENGTH} to /${MAX_LENGTH}`);
  return subnet;
}

function chooseGateway(subnet: Subnet, text: string): number {
  const gateway = text === "" ? subnet.first + 1 : parseAddress(text);
  const last = subnet.first + 2 ** (32 - subnet.prefixLength) - 1;
  if (gateway <= subnet.first || gateway >= last) throw new FlotillaError("invalid", `no matching subnet for gateway ${text}`);
  return gateway;
}

function checkRange(subnet: Subnet, text: string): Subnet {
  const range = parseSubnet(text);
  if (!containsAddress(subnet, range.first) || range.prefixLength < subnet.prefixLength)
    throw new FlotillaError("invalid", `invalid ip-range ${text}: parent subnet ${formatSubnet(subnet)} does not contain it`);
  if (range.prefixLength > MAX_LENGTH) throw new FlotillaError("invalid", `invalid ip-range ${text}: it must be at most /${MAX_LENGTH}`);
  return range;
}

/** The subnet's first block is for virtual addresses; the gateway is wherever it was asked to be. */
function reserve(plan: { subnet: Subnet; range: Subnet; gateway: number; blockLength: number }): Subnet[] {
  const first = subnetOf(plan.subnet.first, plan.blockLength);
  const ofGateway = subnetOf(plan.gateway, plan.blockLength);
  return first.first === ofGateway.first ? [first] : [first, ofGateway];
}

/** A unique local prefix (RFC 4193) whose bits come from the network's id, which is random. */
function chooseSubnet6(request: NetworkRequest, id: string): string | null {
  if (request.subnet6 === "")
    return request.hasIpv6 ? `fd${id.slice(0, 2)}:${id.slice(2, 6)}:${id.slice(6, 10)}:${id.slice(10, 14)}::/64` : null;
  const [address = "", length = "", ...rest] = request.subnet6.split("/");
  const isPrefix = isIPv6(address) && /^\d{1,3}$/.test(length) && rest.length === 0 && !address.includes("%");
  if (!isPrefix || Number(length) < 8 || Number(length) > 96)
    throw new FlotillaError("invalid", `invalid subnet ${request.subnet6}: IPv6 subnets are /8 to /96`);
  if (/^(f[ef]|::)/i.test(address))
    throw new FlotillaError("invalid", `invalid subnet ${request.subnet6}: it must be of unicast addresses`);
  return request.subnet6;
}

function warn(subnet: Subnet, { taken, routes }: NetworkSurroundings): string[] {
  const overlaps = (other: string): boolean => subnetsOverlap(parseSubnet(other), subnet);
  const text = formatSubnet(subnet);
  const same = taken
    .filter(overlaps)
    .map((other) => `subnet ${text} overlaps with ${other} of another network: a container cannot use both`);
  const hidden = [...routes].flatMap(([host, list]) =>
    list.filter(overlaps).map((route) => `subnet ${text} hides ${route}, which host ${host} has a route to, from the network's containers`),
  );
  return [...same, ...hidden];
}
