import { FlotillaError } from "./errors.ts";

const OCTET = "(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])";
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);

/** An IPv4 prefix; `first` is its network address as a number. */
export type Subnet = { first: number; prefixLength: number };

/** Dotted quad to number. @throws FlotillaError `invalid`. */
export function parseAddress(text: string): number {
  if (!IPV4.test(text)) throw new FlotillaError("invalid", `invalid IPv4 address: ${text}`);
  return text.split(".").reduce((value, part) => value * 256 + Number(part), 0);
}

export const formatAddress = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");

/** `a.b.c.d/n`; bits behind the prefix are cleared. @throws FlotillaError `invalid`, with Docker's words. */
export function parseSubnet(text: string): Subnet {
  const [address, length, ...rest] = text.split("/");
  const isValid = address !== undefined && IPV4.test(address) && length !== undefined && /^\d{1,2}$/.test(length) && Number(length) <= 32;
  if (!isValid || rest.length > 0) throw new FlotillaError("invalid", `invalid subnet ${text}: invalid CIDR block notation`);
  return subnetOf(parseAddress(address), Number(length));
}

export function subnetOf(address: number, prefixLength: number): Subnet {
  const sizeBits = 32 - prefixLength;
  return { first: Math.floor(address / 2 ** sizeBits) * 2 ** sizeBits, prefixLength };
}

export const formatSubnet = (subnet: Subnet): string => `${formatAddress(subnet.first)}/${subnet.prefixLength}`;

/** Number of addresses, network and broadcast addresses included. */
export const subnetSize = (subnet: Subnet): number => 2 ** (32 - subnet.prefixLength);

export const containsAddress = (subnet: Subnet, address: number): boolean =>
  address >= subnet.first && address < subnet.first + subnetSize(subnet);

export function subnetsOverlap(a: Subnet, b: Subnet): boolean {
  return a.first < b.first + subnetSize(b) && b.first < a.first + subnetSize(a);
}

/** Docker's rule: `02:42` and the address, so that an address never comes with a stale neighbour entry. */
export function macOfAddress(address: number): string {
  return ["02", "42", ...[24, 16, 8, 0].map((shift) => ((address >>> shift) & 0xff).toString(16).padStart(2, "0"))].join(":");
}
