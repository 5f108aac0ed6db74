// Hosts that watch each other: the resource `mesh` of a host's desired state says whom to probe and by which keys, the observed
// resource `peers` what came of it. docs/design/mesh.md.
import { z } from "zod";

/** Kind and key of the resource that names a host's peers. */
export const MESH_KIND = "mesh";
/** Key of what a host observes of its peers. */
export const PEERS = "peers";
/** UDP port that an agent answers probes on, unless another program has it; the one it has is part of `underlay`. */
export const PROBE_PORT = 7421;

/** What VXLAN adds to a packet, by family of its outer addresses: outer IP, UDP, VXLAN and inner Ethernet headers. */
const VXLAN_OVERHEAD_BYTES = { 4: 50, 6: 70 } as const;
/** What WireGuard adds, by family of the underlay: outer IP, UDP, its header and tag. */
export const TUNNEL_OVERHEAD_BYTES = { 4: 60, 6: 80 } as const;

/** What an overlay adds to a packet on an underlay of that family. Tunnels have IPv6 addresses. */
export function overlayOverheadBytes(family: 4 | 6, isEncrypted: boolean): number {
  return isEncrypted ? TUNNEL_OVERHEAD_BYTES[family] + VXLAN_OVERHEAD_BYTES[6] : VXLAN_OVERHEAD_BYTES[family];
}

const hostNumber = z.int().min(1).max(0xffff_ffff);
const port = z.int().min(1).max(65_535);

export const meshPeer = z.object({
  number: hostNumber,
  address: z.union([z.ipv4(), z.ipv6()]),
  port,
  /** Of VXLAN, where it answers probes too; absent when it does not. */
  envelopePort: port.exactOptional(),
  /** base64url of 32 bytes that these two hosts and the control plane alone have. */
  key: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
});
export type MeshPeer = z.output<typeof meshPeer>;

export const meshState = z.object({
  self: hostNumber,
  peers: z.array(meshPeer).max(4_096),
});
export type MeshState = z.output<typeof meshState>;

export const peerState = z.enum(["unknown", "up", "down"]);
export type PeerState = z.output<typeof peerState>;

/** One peer as a host sees it. Changes in steps; what it says of time is as of the last step. */
export const peerReport = z.object({
  number: hostNumber,
  /** `down`: no answer for more than three seconds. `unknown`: not asked long enough to tell. */
  state: peerState,
  /** Median and last round trip; null while there was none. */
  rttP50Micros: z.int().min(0).nullable(),
  rttLastMicros: z.int().min(0).nullable(),
  /** Of the last probes. */
  lossPerMille: z.int().min(0).max(1_000),
  /** The largest packet that gets there undivided; null while it is not known. */
  pathMtuBytes: z.int().min(0).max(65_535).nullable(),
  /** What goes to its port of VXLAN, while it is `up` otherwise; absent when that is not asked. */
  envelope: peerState.exactOptional(),
});
export type PeerReport = z.output<typeof peerReport>;

export const observedPeers = z.object({
  /** MTU of this host's own link to the others. */
  linkMtuBytes: z.int().min(0).max(65_535),
  peers: z.array(peerReport).max(4_096),
});
export type ObservedPeers = z.output<typeof observedPeers>;
