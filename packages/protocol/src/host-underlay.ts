// What a host says of the way to it: where its packets go, and how it can encrypt them.
import { z } from "zod";

/** Where a host sends and takes VXLAN packets, as the observed resource of this name. */
export const HOST_UNDERLAY = "underlay";

/** One WireGuard device of a host. While a key is replaced there are two of them, and both are good. */
export const hostTunnel = z.object({
  /** Of its address, see `tunnelAddress`. */
  slot: z.int().min(0).max(1),
  /** UDP port on the underlay address. */
  port: z.int().min(1).max(65_535),
  /** Curve25519; the private one never leaves the host. */
  publicKey: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
});
export type HostTunnel = z.output<typeof hostTunnel>;

/** By what a host encrypts: its kernel's WireGuard, `wireguard-go`, or not at all. */
export const encryption = z.enum(["kernel", "userspace", "none"]);
export type Encryption = z.output<typeof encryption>;

/** Why a host does not encrypt: no wg(8), or neither the kernel nor wireguard-go makes a device. */
export const encryptionLack = z.enum(["tools", "device"]);
export type EncryptionLack = z.output<typeof encryptionLack>;

export const hostUnderlay = z.object({
  address: z.union([z.ipv4(), z.ipv6()]),
  mtuBytes: z.int().min(68).max(65_535),
  /** IPv4 routes of the machine that are neither the default nor Flotilla's own: a network there hides them from its containers. */
  routes: z.array(z.cidrv4()).max(1_000),
  /** UDP port at that address on which the host answers its peers' probes; null while it does not. */
  probePort: z.int().min(1).max(65_535).nullable().default(null),
  /** UDP port of VXLAN, when probes to it are answered too; absent for agents that cannot. */
  envelopePort: z.int().min(1).max(65_535).exactOptional(),
  encryption: encryption.default("none"),
  /** null when it encrypts, and for agents that do not say. */
  encryptionLack: encryptionLack.nullable().default(null),
  /** The one to send to first. */
  tunnels: z.array(hostTunnel).max(2).default([]),
});
export type HostUnderlay = z.output<typeof hostUnderlay>;

/** The address of a host's tunnel, in a range of its own that no other network has (RFC 4193). */
export const TUNNEL_PREFIX = "fd66:6c74:6e6c::/48";
export const tunnelAddress = (hostNumber: number, slot: number): string =>
  `fd66:6c74:6e6c:${slot}::${(hostNumber >>> 16).toString(16)}:${(hostNumber & 0xffff).toString(16)}`;
