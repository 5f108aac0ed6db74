// Desired network state as data. Pure: what comes out is performed by bridge-driver.ts and firewall.ts.
//
// What exists in the kernel afterwards, per instance (the six hex digits are the instance's, names are at most 15 bytes):
//   link   fl1a2b3c-1    one bridge per network in use: the gateway's addresses, IPv6 off unless the network has it, route_localnet on
//   link   fv1a2b3c-2s   one veth per endpoint, enslaved to it; its peer is ethN in the container's namespace
//   table  ip flotilla_1a2b3c4d   one nftables table (nft-table.ts), and an ip6 one while a network has IPv6
//   file   $FLOTILLA_RUN/netns/<container id>   the namespace, bind-mounted
// Not done: filtering inside one network.
import type { LinkOperation } from "../host/link-operations.ts";
import { formatAddress, macOfAddress, type Subnet } from "@flotilla/core";
import { ipv6Length } from "./ipv6.ts";

const LINK_LOCAL_GATEWAY = "fe80::1";
/** Digits of the instance in link names: IFNAMSIZ allows 15 bytes, and numbers need theirs. */
const INSTANCE_DIGITS = 6;

export const bridgePrefix = (instance: string): string => `fl${instance.slice(0, INSTANCE_DIGITS)}-`;
export const vethPrefix = (instance: string): string => `fv${instance.slice(0, INSTANCE_DIGITS)}-`;
export const tableName = (instance: string): string => `flotilla_${instance}`;

/** `fl1a2b3c-1`; base 36, so that six digits last for two thousand million networks. */
export const bridgeName = (instance: string, number: number): string => `${bridgePrefix(instance)}${number.toString(36)}`;
export const vethName = (instance: string, number: number): string => `${vethPrefix(instance)}${number.toString(36)}`;

/** A network as the kernel is to have it. */
export type BridgePlan = {
  linkName: string;
  subnet: Subnet;
  gateway: number;
  isInternal: boolean;
  /** Subnet as text and gateway, canonical. */
  ipv6?: { subnet: string; gateway: string } | undefined;
  /** Its containers do not reach each other but through published ports. */
  isIsolating?: boolean;
  /** What leaves it keeps its address. */
  keepsSource?: boolean;
};

export type EndpointPlan = {
  linkName: string;
  /** Number of the endpoint in its container: 0 is eth0. */
  position: number;
  address: number;
  /** "" without IPv6. */
  address6: string;
  mac: string;
  isDefaultRoute: boolean;
  hasPorts: boolean;
  bridge: BridgePlan;
};

/** Makes a bridge. Its MAC address is fixed: left to the kernel it would change with its ports, and udev would set it. */
export function planBridge(bridge: BridgePlan, mtuBytes: number): LinkOperation[] {
  const name = bridge.linkName;
  return [
    { kind: "add-bridge", name, mac: macOfAddress(bridge.gateway), mtuBytes },
    { kind: "disable-ipv6-autoconfiguration", name },
    { kind: "add-address", name, address: formatAddress(bridge.gateway), prefixLength: bridge.subnet.prefixLength },
    { kind: "set-up", name },
  ];
}

/**
 * IPv6 of a bridge that is up; harmless when it is there. The link-local address is what the host asks for neighbours with
 * when it forwards; the kernel makes none since its making is off.
 */
export function planBridgeIpv6({ linkName: name, ipv6 }: BridgePlan): LinkOperation[] {
  if (ipv6 === undefined) return [];
  return [
    { kind: "add-address", name, address: LINK_LOCAL_GATEWAY, prefixLength: 64 },
    { kind: "add-address", name, address: ipv6.gateway, prefixLength: ipv6Length(ipv6.subnet) },
  ];
}

/** IPv6 of a container's end that is up; harmless when it is there. */
export function planContainerIpv6({ position, address6, bridge: { ipv6 } }: EndpointPlan): LinkOperation[] {
  if (ipv6 === undefined || address6 === "") return [];
  return [{ kind: "add-address", name: `eth${position}`, address: address6, prefixLength: ipv6Length(ipv6.subnet) }];
}

/** What a container's namespace needs before any endpoint. */
export const LOOPBACK_PLAN: readonly LinkOperation[] = [{ kind: "set-up", name: "lo" }];

/** The host's end of an endpoint; makes both ends. */
export function planHostEnd(endpoint: EndpointPlan, where: { netnsPath: string; mtuBytes: number; bridgeIndex?: number }): LinkOperation[] {
  const name = endpoint.linkName;
  return [
    {
      kind: "add-veth",
      name,
      mac: hostEndMac(endpoint.address),
      master: endpoint.bridge.linkName,
      ...(where.bridgeIndex === undefined ? {} : { masterIndex: where.bridgeIndex }),
      mtuBytes: where.mtuBytes,
      peer: { name: `eth${endpoint.position}`, mac: endpoint.mac, netnsPath: where.netnsPath },
    },
    { kind: "disable-ipv6-autoconfiguration", name },
    { kind: "set-up", name },
    ...planPort(name, { hasPorts: endpoint.hasPorts, isIsolating: endpoint.bridge.isIsolating === true }),
  ];
}

/** Puts the host's end of an endpoint on a bridge that was made anew. */
export function planAdoption(name: string, where: { master: string; hasPorts: boolean; isIsolating: boolean }): LinkOperation[] {
  return [{ kind: "set-master", name, master: where.master }, ...planPort(name, where)];
}

/**
 * A container that calls its own published port: where bridged packets pass the IP hooks (br_netfilter), its frame is
 * translated while still in the bridge and must go back to the port that it came from. Isolated ports get frames of the
 * host only.
 */
function planPort(name: string, { hasPorts, isIsolating }: { hasPorts: boolean; isIsolating: boolean }): LinkOperation[] {
  return [
    ...(hasPorts ? [{ kind: "enable-hairpin", name } as const] : []),
    ...(isIsolating ? [{ kind: "isolate-port", name } as const] : []),
  ];
}

/** The container's end, inside its namespace. */
export function planContainerEnd(endpoint: EndpointPlan): LinkOperation[] {
  const name = `eth${endpoint.position}`;
  const { bridge } = endpoint;
  return [
    { kind: "disable-ipv6-autoconfiguration", name },
    { kind: "add-address", name, address: formatAddress(endpoint.address), prefixLength: bridge.subnet.prefixLength },
    { kind: "set-up", name },
    ...(endpoint.isDefaultRoute ? [{ kind: "add-default-route", gateway: formatAddress(bridge.gateway), link: name } as const] : []),
  ];
}

/** Differs from the container's by the second byte; locally administered as that is. */
function hostEndMac(address: number): string {
  return macOfAddress(address).replace("02:42:", "02:fe:");
}
