import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { forgetUdpFlows, type UdpPort } from "./conntrack.ts";
import type { KernelObject, ObjectChange } from "./kernel-objects.ts";
import type { Link, LinkAddress, LinkOperation, Route } from "./link-operations.ts";
import { createNetns, hasNetns, inNetns, listNetns, removeNetns } from "./netns.ts";
import type { NetlinkRequest } from "./netlink.ts";
import { NftSocket } from "./nft-socket.ts";
import { openNft } from "./nft.ts";
import { reservePort, type HostPort, type PortReservation } from "./port-reservation.ts";
import { restrictiveForwardChains } from "./restrictive-forward-chains.ts";
import { RouteSocket } from "./rtnetlink.ts";
import { type Sysctls, writeSysctls } from "./sysctls.ts";

/** Links, addresses and routes of one network namespace. Synchronous; the owner closes it. */
export type NetworkStack = {
  /** In order, stopping at the first refusal. @throws FlotillaError `internal` with `details.errno`. */
  apply(operations: readonly LinkOperation[]): void;
  links(): Link[];
  findLink(name: string): Link | undefined;
  /** Whether a link gathers the packets that it receives to larger ones (GRO). @throws FlotillaError ENODEV. */
  hasReceiveOffload(name: string): boolean;
  /** IPv4 only. */
  addresses(): LinkAddress[];
  /** IPv4 only, all tables. */
  routes(): Route[];
  /** @throws FlotillaError `internal` for the first that the kernel refused, when all have been tried. */
  applyObjects(changes: readonly ObjectChange[]): void;
  /** Addresses, neighbours, routes and rules of both families that somebody made on purpose. */
  objects(): KernelObject[];
  close(): void;
};

/** All that the network folder does to the machine. */
export type NetworkKernel = {
  /** The host's own namespace. */
  host: NetworkStack;
  /** A new namespace kept under `path`; the caller closes the stack, not the namespace. @throws EEXIST when the file exists. */
  createNetns(path: string, sysctls?: Sysctls): NetworkStack;
  /** @param sysctls are set in it first. */
  openNetns(path: string, sysctls?: Sysctls): NetworkStack;
  hasNetns(path: string): boolean;
  /** Idempotent; the kernel then takes the namespace's links down by itself, soon but not at once. */
  removeNetns(path: string): void;
  listNetns(directory: string): string[];
  /** One nftables transaction. @throws FlotillaError `internal` with nft's words. */
  nft(text: string): Promise<string>;
  /** Whether there is a table, by one request and not a reading of the ruleset. @param name with its family, as `ip flotilla`. */
  hasTable(name: string): boolean;
  /** One nftables transaction in the namespace kept under `path`. */
  nftInside(path: string, text: string): Promise<string>;
  /** The same without libnftables, and quicker. @param requests of nft-messages.ts. */
  nftRequestsInside(path: string, requests: readonly NetlinkRequest[]): void;
  /** `name` as sysctl(8) with slashes, such as `net/ipv4/ip_forward`; writes only what differs. False when there is no such key. */
  setSysctl(name: string, value: string): boolean;
  /** Lets the host forward IPv6. Interfaces that learn their routes from routers go on doing so, which forwarding would end. */
  forwardIpv6(): void;
  /** @throws FlotillaError `conflict` when a program has the port, `invalid` when the address is not this machine's. */
  reservePort(port: HostPort): PortReservation;
  /** Makes UDP flows to these ports be looked at anew; false where the kernel cannot. */
  forgetUdpFlows(ports: readonly UdpPort[]): boolean;
  /** Base chains of other tables that drop forwarded packets unless a rule accepts them, as `family table chain`. */
  restrictiveForwardChains(): Promise<string[]>;
  close(): void;
};

/** Only links, addresses and routes of the caller's network namespace. */
export function openNetworkStack(): NetworkStack {
  return new RouteSocket();
}

/** The kernel of this machine. Opens a netlink socket in the caller's network namespace, which is the host's. */
export function openNetworkKernel(): NetworkKernel {
  const host = new RouteSocket();
  const nft = openNft();
  const tables = new NftSocket();
  return {
    host,
    createNetns: (path, sysctls = []) => createNetns(path, () => openStack(sysctls)),
    openNetns: (path, sysctls = []) => inNetns(path, () => openStack(sysctls)),
    hasNetns,
    removeNetns,
    listNetns,
    nft: (text) => nft.apply(text),
    hasTable: (name) => tables.hasTable(name),
    nftInside,
    nftRequestsInside,
    setSysctl,
    forwardIpv6,
    reservePort,
    forgetUdpFlows,
    restrictiveForwardChains,
    close: () => {
      host.close();
      nft.close();
      tables.close();
    },
  };
}

function openStack(sysctls: Sysctls): NetworkStack {
  writeSysctls(sysctls);
  return new RouteSocket();
}

/** nftables talks over a socket that belongs to the namespace that it was opened in. */
async function nftInside(path: string, text: string): Promise<string> {
  const inside = inNetns(path, openNft);
  try {
    return await inside.apply(text);
  } finally {
    inside.close();
  }
}

function nftRequestsInside(path: string, requests: readonly NetlinkRequest[]): void {
  const socket = inNetns(path, () => new NftSocket());
  try {
    socket.apply(requests);
  } finally {
    socket.close();
  }
}

function forwardIpv6(): void {
  const conf = "/proc/sys/net/ipv6/conf";
  if (readFileSync(`${conf}/all/forwarding`, "utf8").trim() === "1") return;
  for (const name of readdirSync(conf)) {
    const path = `${conf}/${name}/accept_ra`;
    if (readFileSync(path, "utf8").trim() === "1") writeFileSync(path, "2");
  }
  writeFileSync(`${conf}/all/forwarding`, "1");
}

function setSysctl(name: string, value: string): boolean {
  const path = `/proc/sys/${name}`;
  try {
    if (readFileSync(path, "utf8").trim() !== value) writeFileSync(path, value);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
