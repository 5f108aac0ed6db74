// Prefixes of both families. Pure.
import { FlotillaError } from "@flotilla/core";
import { packIp, unpackIp } from "../host/ip-bytes.ts";

export type Prefix = { family: 4 | 6; first: bigint; length: number };

const widthOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);
/** Of a valid address: asked for every slot of every service. */
export const familyOf = (address: string): 4 | 6 => (address.includes(":") ? 6 : 4);
export const toNumber = (address: string): bigint => BigInt(`0x${packIp(address).toString("hex")}`);

export function fromNumber(value: bigint, family: 4 | 6): string {
  return unpackIp(Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, "0"), "hex"));
}

/** `address/length`; bits behind the prefix are cleared. @throws FlotillaError `invalid`. */
export function parsePrefix(text: string): Prefix {
  const [address = "", lengthText = ""] = text.split("/");
  const family = familyOf(address);
  const width = widthOf(family);
  const length = Number(lengthText);
  if (!/^\d{1,3}$/.test(lengthText) || length > width) throw new FlotillaError("invalid", `invalid prefix: ${text}`);
  const size = 1n << BigInt(width - length);
  return { family, first: (toNumber(address) / size) * size, length };
}

export const sizeOf = (prefix: Prefix): bigint => 1n << BigInt(widthOf(prefix.family) - prefix.length);
export const formatPrefix = (prefix: Prefix): string => `${fromNumber(prefix.first, prefix.family)}/${prefix.length}`;
export const firstAddress = (prefix: Prefix): string => fromNumber(prefix.first, prefix.family);
/** A prefix of one address. */
export const hostPrefix = (address: string): string => formatPrefix(parsePrefix(`${address}/${widthOf(familyOf(address))}`));

export function contains(prefix: Prefix, address: string): boolean {
  if (familyOf(address) !== prefix.family) return false;
  const value = toNumber(address);
  return value >= prefix.first && value < prefix.first + sizeOf(prefix);
}

/** The IPv6 address of whoever has an IPv4 address: the subnet's, ending in those 32 bits. */
export function embed(subnet6: string, address: string): string {
  const key = `${subnet6} ${address}`;
  const known = embedded.get(key);
  if (known !== undefined) return known;
  const made = fromNumber(parsePrefix(subnet6).first + toNumber(address), 6);
  if (embedded.size >= MAX_EMBEDDED) embedded.clear();
  embedded.set(key, made);
  return made;
}

/** Of all endpoints of a network at each change of one of them. */
const embedded = new Map<string, string>();
const MAX_EMBEDDED = 10_000;

/** The same for a prefix. */
export function embedPrefix(subnet6: string, prefix: string): string {
  const { first, length } = parsePrefix(prefix);
  return formatPrefix({ family: 6, first: parsePrefix(subnet6).first + first, length: length + 96 });
}
