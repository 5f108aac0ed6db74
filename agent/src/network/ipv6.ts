// IPv6 of bridge networks. Pure. A container's address ends in the place that its IPv4 address has in the subnet, so that
// 172.18.0.2 is fd00::2 beside it, as in Docker; only what a user chose can be in the way of that.
import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import { FlotillaError, parseAddress, parseSubnet } from "@flotilla/core";
import { contains, formatPrefix, fromNumber, parsePrefix, sizeOf, toNumber, type Prefix } from "../overlay/prefixes.ts";

/** What a user asks for; "" for what the engine is to choose. */
export type Ipv6Request = { subnet: string; gateway: string; range?: string; reserved?: Readonly<Record<string, string>> };
/** Canonical; both "" without IPv6. */
export type Ipv6Addressing = { subnet6: string; gateway6: string };
/** What of the subnet containers get ("" for all of it), and what is others', by whatever name. */
export type Ipv6Ranges = { address_range6: string; reserved_addresses6: Record<string, string> };

const MAX_LENGTH = 126;
/** Unique local addresses (RFC 4193), the documentation's and global unicast. */
const ALLOWED = ["fc00::/7", "2000::/3"].map(parsePrefix);
const CHOSEN_LENGTH = 64;

/** @param taken subnets of other networks. @throws FlotillaError `invalid`, `forbidden` for an overlap. */
export function planIpv6(request: Ipv6Request, taken: readonly string[], seed: string): Ipv6Addressing {
  if (request.subnet === "") {
    if (request.gateway !== "") throw new FlotillaError("invalid", "invalid network config: no matching subnet for gateway");
    return chooseIpv6(taken, seed);
  }
  const prefix = parseIpv6Subnet(request.subnet);
  if (taken.some((other) => overlaps(parsePrefix(other), prefix)))
    throw new FlotillaError("forbidden", "Pool overlaps with other one on this address space");
  const gateway = request.gateway === "" ? fromNumber(prefix.first + 1n, 6) : request.gateway;
  if (!isIPv6(gateway) || !contains(prefix, gateway))
    throw new FlotillaError("invalid", `no matching subnet for gateway ${request.gateway}`);
  return { subnet6: formatPrefix(prefix), gateway6: canonical(gateway) };
}

/** `--ip-range` and `--aux-address` of an IPv6 subnet. @throws FlotillaError `invalid` for what is not in the subnet. */
export function planIpv6Ranges({ range = "", reserved = {} }: Ipv6Request, subnet6: string): Ipv6Ranges {
  const subnet = parsePrefix(subnet6);
  const addresses = Object.entries(reserved).map(([name, address]): [string, string] => {
    if (!isIPv6(address) || !contains(subnet, address)) throw new FlotillaError("invalid", `no matching subnet for aux-address ${address}`);
    return [name, canonical(address)];
  });
  return { address_range6: range === "" ? "" : checkRange(subnet, range), reserved_addresses6: Object.fromEntries(addresses) };
}

function checkRange(subnet: Prefix, text: string): string {
  const [address = ""] = text.split("/");
  const isRange = isIPv6(address) && !address.includes("%") && text.includes("/");
  const range = isRange ? parsePrefix(text) : undefined;
  if (range === undefined || range.length < subnet.length || !contains(subnet, fromNumber(range.first, 6)))
    throw new FlotillaError("invalid", `invalid ip-range ${text}: parent subnet ${formatPrefix(subnet)} does not contain it`);
  return formatPrefix(range);
}

function parseIpv6Subnet(text: string): Prefix {
  const [address = ""] = text.split("/");
  if (!isIPv6(address) || address.includes("%") || !text.includes("/")) throw new FlotillaError("invalid", `invalid subnet ${text}`);
  const prefix = parsePrefix(text);
  if (prefix.length > MAX_LENGTH || !ALLOWED.some((range) => contains(range, fromNumber(prefix.first, 6)) && prefix.length >= range.length))
    throw new FlotillaError(
      "invalid",
      `invalid subnet ${text}: it must be a unicast subnet of fc00::/7 or 2000::/3, at most /${MAX_LENGTH}`,
    );
  return prefix;
}

/** The first free of a row that begins anywhere in fd00::/8. */
function chooseIpv6(taken: readonly string[], seed: string): Ipv6Addressing {
  for (let attempt = 0; ; attempt += 1) {
    const digits = createHash("sha256").update(`${seed} ${attempt}`).digest("hex").slice(0, 14);
    const first = BigInt(`0xfd${digits}`) << 64n;
    const prefix: Prefix = { family: 6, first, length: CHOSEN_LENGTH };
    if (taken.some((other) => overlaps(parsePrefix(other), prefix))) continue;
    return { subnet6: formatPrefix(prefix), gateway6: fromNumber(first + 1n, 6) };
  }
}

const overlaps = (a: Prefix, b: Prefix): boolean => a.family === b.family && a.first < b.first + sizeOf(b) && b.first < a.first + sizeOf(a);

/** `address_range6` is where addresses come from, "" for the whole subnet; `subnet` is the IPv4 one. */
export type Ipv6Space = Ipv6Addressing & { subnet: string; address_range6: string; used: ReadonlySet<string> };

/**
 * An endpoint's IPv6 address; "" on a network without.
 * @param address the endpoint's IPv4 address. @param fixed what the user chose.
 * @throws FlotillaError `invalid`, `conflict`, `exhausted`.
 */
export function chooseIpv6Address(space: Ipv6Space, address: string, fixed: string | undefined): string {
  if (space.subnet6 === "") {
    if (fixed === undefined) return "";
    throw new FlotillaError(
      "invalid",
      "user specified IP address is supported only when connecting to networks with user configured subnets",
    );
  }
  const prefix = parsePrefix(space.subnet6);
  if (fixed !== undefined) return checkFixed(space, prefix, fixed);
  const range = space.address_range6 === "" ? prefix : parsePrefix(space.address_range6);
  const isFree = (value: bigint): boolean => {
    const candidate = fromNumber(value, 6);
    return value > prefix.first && contains(range, candidate) && candidate !== space.gateway6 && !space.used.has(candidate);
  };
  const preferred = range.first + BigInt(parseAddress(address) - parseSubnet(space.subnet).first);
  if (isFree(preferred)) return fromNumber(preferred, 6);
  // At most the used ones, the gateway and the first are in the way.
  for (let offset = 0n; offset <= BigInt(space.used.size + 2); offset += 1n) if (isFree(range.first + offset)) return fromNumber(range.first + offset, 6); // prettier-ignore
  throw new FlotillaError("exhausted", `no available IPv6 addresses on this network's address pools: ${space.subnet6}`);
}

function checkFixed(space: Ipv6Space, prefix: Prefix, fixed: string): string {
  if (!isIPv6(fixed) || fixed.includes("%")) throw new FlotillaError("invalid", `invalid IPv6 address: ${fixed}`);
  const address = canonical(fixed);
  if (!contains(prefix, address) || address === space.gateway6 || toNumber(address) === prefix.first)
    throw new FlotillaError("invalid", `invalid address: ${fixed} does not belong to subnet ${space.subnet6} or is reserved there`);
  if (space.used.has(address)) throw new FlotillaError("conflict", "Address already in use");
  return address;
}

const canonical = (address: string): string => fromNumber(toNumber(address), 6);

/** `64` of `fd00::/64`. */
export const ipv6Length = (subnet6: string): number => Number(subnet6.split("/")[1] ?? 0);

/** A locally administered MAC address for an IPv6 address that a user chose; those of IPv4 addresses begin with 02:42. */
export function macOfIpv6(address: string): string {
  const digits = createHash("sha256").update(address).digest("hex").slice(0, 8);
  return `02:46:${digits.replace(/(..)(?=.)/g, "$1:")}`;
}
