// IP addresses of both families as bytes in network order, and back as canonical text (RFC 5952 for IPv6).
import { isIPv4, isIPv6 } from "node:net";
import { FlotillaError } from "@flotilla/core";

/** 4 or 16 bytes. @throws FlotillaError `invalid`. */
export function packIp(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  if (!isIPv6(address) || address.includes("%")) throw new FlotillaError("invalid", `invalid IP address: ${address}`);
  const [head = "", tail] = withoutDottedQuad(address).split("::");
  const groups = (text: string): number[] => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const middle = tail === undefined ? [] : Array.from({ length: 8 - front.length - back.length }, () => 0);
  const bytes = Buffer.alloc(16);
  [...front, ...middle, ...back].forEach((group, index) => bytes.writeUInt16BE(group, index * 2));
  return bytes;
}

export function unpackIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return [...bytes].join(".");
  const buffer = Buffer.from(bytes);
  const groups = Array.from({ length: 8 }, (_, index) => buffer.readUInt16BE(index * 2).toString(16));
  // The URL parser writes IPv6 addresses in their canonical form.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** The one spelling of an address. @throws FlotillaError `invalid`. */
export function canonicalIp(address: string): string {
  if (isIPv4(address)) return address;
  const known = canonical.get(address);
  if (known !== undefined) return known;
  const made = unpackIp(packIp(address));
  if (canonical.size >= MAX_CANONICAL) canonical.clear();
  canonical.set(address, made);
  return made;
}

/** Of a container that comes its IPv6 address is asked for ten times. */
const canonical = new Map<string, string>();
const MAX_CANONICAL = 10_000;

function withoutDottedQuad(address: string): string {
  const match = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  if (match === null) return address;
  const [, head, a, b, c, d] = match;
  const pair = (high: string | undefined, low: string | undefined): string => (Number(high) * 256 + Number(low)).toString(16);
  return `${head}${pair(a, b)}:${pair(c, d)}`;
}
