// Tunnels of encrypted networks: which WireGuard devices a host has, with which peers, and when a key is replaced. Pure.
//
// A host has one device, and two while its key is replaced: each has a key, a port and an address of its own, so that what
// others send to either is understood. The change itself takes a moment: a few packets on their way are lost once a day.
import { type NetworkState, TUNNEL_OVERHEAD_BYTES, tunnelAddress } from "@flotilla/protocol";
import { familyOf } from "./prefixes.ts";

/** A key lives a day; both are good for two minutes before the new one is used, and for two after. */
export const KEY_LIFE_MS = 24 * 3_600_000;
export const BOTH_MS = 120_000;

/** A key of this host. */
export type TunnelKey = { slot: number; madeAtMs: number };

export type RotationPlan = {
  /** Slot of a key that is to be made; undefined for none. */
  create: number | undefined;
  /** Of the key that this host sends with; undefined while it has none. */
  active: number | undefined;
  /** Slots of keys that are good no more. */
  remove: readonly number[];
};

export function planRotation(keys: readonly TunnelKey[], nowMs: number): RotationPlan {
  const [newest, older] = keys.toSorted((a, b) => b.madeAtMs - a.madeAtMs);
  if (newest === undefined) return { create: 0, active: undefined, remove: [] };
  // A clock that went back must not keep two keys for ever.
  const ageMs = Math.abs(nowMs - newest.madeAtMs);
  if (older === undefined) return { create: ageMs >= KEY_LIFE_MS ? 1 - newest.slot : undefined, active: newest.slot, remove: [] };
  if (ageMs < BOTH_MS) return { create: undefined, active: older.slot, remove: [] };
  return { create: undefined, active: newest.slot, remove: ageMs < 2 * BOTH_MS ? [] : [older.slot] };
}

export type TunnelPeer = { publicKey: string; endpoint: string; allowedAddress: string };

/** Peers of each device of a host: all tunnels of the hosts that it shares an encrypted network with, each once. */
export function planPeers(networks: readonly NetworkState[]): TunnelPeer[] {
  const peers = new Map<string, TunnelPeer>();
  for (const { isEncrypted, hosts, self } of networks) {
    if (!isEncrypted) continue;
    for (const host of hosts) {
      if (host.number === self) continue;
      for (const tunnel of host.tunnels) {
        const endpoint = familyOf(host.underlay) === 6 ? `[${host.underlay}]:${tunnel.port}` : `${host.underlay}:${tunnel.port}`;
        peers.set(tunnel.publicKey, { publicKey: tunnel.publicKey, endpoint, allowedAddress: tunnelAddress(host.number, tunnel.slot) });
      }
    }
  }
  return [...peers.values()].toSorted((a, b) => (a.publicKey < b.publicKey ? -1 : 1));
}

/** wg(8)'s configuration file. Every value is of a closed form: nothing in it comes from a user. */
export function formatTunnel(device: { privateKey: string; port: number }, peers: readonly TunnelPeer[]): string {
  return [
    `[Interface]\nPrivateKey = ${device.privateKey}\nListenPort = ${device.port}\n`,
    ...peers.map(
      ({ publicKey, endpoint, allowedAddress }) =>
        `[Peer]\nPublicKey = ${publicKey}\nEndpoint = ${endpoint}\nAllowedIPs = ${allowedAddress}/128\n`,
    ),
  ].join("\n");
}

/** Largest packet of a tunnel over an underlay. */
export const tunnelMtu = (underlay: string, underlayMtuBytes: number): number =>
  underlayMtuBytes - TUNNEL_OVERHEAD_BYTES[familyOf(underlay)];

/** Where a host's VXLAN packets of a network go; undefined: nowhere, since only encrypted ones may and it has no tunnel. */
export function vxlanAddress(state: NetworkState, host: NetworkState["hosts"][number]): string | undefined {
  if (!state.isEncrypted) return host.underlay;
  const [first] = host.tunnels;
  return first === undefined ? undefined : tunnelAddress(host.number, first.slot);
}
