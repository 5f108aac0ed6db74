import { isIP } from "node:net";
import { parseAddress } from "@flotilla/core";
import {
  DEFAULT_VXLAN_PORT,
  NETWORK_REFUSAL,
  type NetworkState,
  type ObservedNetwork,
  type OverlayMember,
  type ResourceBody,
} from "@flotilla/protocol";
import type { ComposeScene, HostComposer } from "../context.ts";
import {
  isEncryptedRow,
  NETWORK,
  type OverlayHostRow,
  type OverlayNetworkRow,
  type OverlayRows,
  readTeamOverlays,
  textMap,
} from "./overlay-rows.ts";

/** The overlay networks of a host's team: all of them, so that a container can start on any while the control plane is away. */
export const networkComposer: HostComposer = {
  kind: NETWORK,
  async compose({ team, host, once }) {
    const rows = await once(readTeamOverlays);
    const states = composeNetworks(rows, { hostId: host.id, namespace: team.namespace });
    return new Map(states.map((state) => [state.id, state satisfies ResourceBody]));
  },
};

/** Why wishes of a host are not fulfilled. */
export const refusalComposer: HostComposer = {
  kind: NETWORK_REFUSAL,
  async compose({ host, once }) {
    const rows = (await once(readRefusals)).filter(({ hostId }) => hostId === host.id);
    return new Map(rows.map(({ networkId, nonce, code, message }) => [networkId, { nonce, code, message }]));
  },
};

const readRefusals = ({ tx, hosts }: ComposeScene) =>
  tx.overlayRefusal.findMany({ where: { hostId: { in: hosts.map(({ id }) => id) } }, orderBy: { networkId: "asc" } });

/** What one host is told. Pure; equal rows give equal bytes. A host that has not said where its packets go is told nothing. */
export function composeNetworks(rows: OverlayRows, reader: { hostId: string; namespace: string }): NetworkState[] {
  const self = rows.hosts.find(({ id }) => id === reader.hostId);
  if (self === undefined || self.underlay === null) return [];
  const hosts = reachableHosts(rows.hosts, self);
  return rows.networks.map((network) => composeNetwork(network, { rows, hosts, self, namespace: reader.namespace }));
}

/**
 * The hosts that a host can exchange packets with: those of its own family, each underlay address once. Of two hosts with one
 * address the one that joined first keeps it; the other one sees itself there, and so nobody but those who share no address.
 */
export function reachableHosts(hosts: readonly OverlayHostRow[], self: OverlayHostRow): (OverlayHostRow & { address: string })[] {
  const own = self.underlay?.address ?? "";
  const byAddress = new Map<string, OverlayHostRow & { address: string }>([[own, { ...self, address: own }]]);
  for (const host of hosts) {
    const address = host.underlay?.address;
    if (address === undefined || isIP(address) !== isIP(own) || byAddress.has(address)) continue;
    byAddress.set(address, { ...host, address });
  }
  return [...byAddress.values()].toSorted((a, b) => a.number - b.number);
}

type Scene = { rows: OverlayRows; hosts: (OverlayHostRow & { address: string })[]; self: OverlayHostRow; namespace: string };

function composeNetwork(network: OverlayNetworkRow, { rows, hosts, self, namespace }: Scene): NetworkState {
  const numbers = new Map(hosts.map(({ id, number }) => [id, number]));
  const held = network.leases.flatMap(({ kind, hostId, cidr, releasedAt }) => {
    const host = releasedAt === null && hostId !== null ? numbers.get(hostId) : undefined;
    return host === undefined ? [] : [{ kind, host, cidr, order: parseAddress(cidr.split("/")[0] ?? "") }];
  });
  const leases = held.toSorted((a, b) => a.order - b.order);
  const others = hosts.filter(({ id }) => id !== self.id);
  const members = others.flatMap((host) => membersOf(rows, network.id, host));
  return {
    id: network.id,
    namespace,
    name: network.name,
    vni: network.vni,
    vxlanPort: DEFAULT_VXLAN_PORT,
    subnet: network.subnet,
    gateway: network.gateway,
    subnet6: network.subnet6,
    mtuBytes: network.mtuBytes,
    isInternal: network.isInternal,
    isEncrypted: isEncryptedRow(network),
    isAttachable: network.isAttachable,
    labels: textMap.parse(network.labels),
    options: textMap.parse(network.options),
    createdAtMs: network.createdAt.getTime(),
    self: self.number,
    hosts: hosts.map(({ number, address, underlay }) => ({
      number,
      underlay: address,
      tunnels: isEncryptedRow(network) ? (underlay?.tunnels ?? []) : [],
    })),
    blocks: leases.filter(({ kind }) => kind === "block").map(({ host, cidr }) => ({ host, cidr })),
    pins: leases.filter(({ kind }) => kind === "pin").map(({ host, cidr }) => ({ host, address: cidr.split("/")[0] ?? "" })),
    members,
    dead: deadAddresses(rows, network),
    down: downEndpoints(rows.observed.get(network.id), hosts, self),
    isolated: [],
    allow: [],
  };
}

/** The endpoints of a host that counts as there, by address. */
function membersOf(rows: OverlayRows, networkId: string, host: OverlayHostRow): OverlayMember[] {
  const endpoints = host.downSince === null ? (rows.observed.get(networkId)?.get(host.id)?.endpoints ?? []) : [];
  return endpoints
    .map(({ containerId, containerName, aliases, address, address6 }) => ({
      host: host.number,
      containerId,
      containerName,
      aliases,
      address,
      address6,
    }))
    .toSorted((a, b) => parseAddress(a.address) - parseAddress(b.address));
}

/** What other hosts that count as down had last: who talks to it is told instead of left hanging, as long as nobody has it again. */
function downEndpoints(
  observed: ReadonlyMap<string, ObservedNetwork> | undefined,
  hosts: readonly OverlayHostRow[],
  self: OverlayHostRow,
): NetworkState["down"] {
  const isDown = ({ id, downSince }: OverlayHostRow): boolean => id !== self.id && downSince !== null;
  const addressesOf = (host: OverlayHostRow): string[] =>
    (observed?.get(host.id)?.endpoints ?? []).flatMap(({ address, address6 }) => (address6 === null ? [address] : [address, address6]));
  const alive = new Set(hosts.filter((host) => !isDown(host)).flatMap(addressesOf));
  return hosts
    .filter(isDown)
    .map((host) => ({
      host: host.number,
      addresses: addressesOf(host)
        .filter((address) => !alive.has(address))
        .toSorted(),
    }))
    .filter(({ addresses }) => addresses.length > 0);
}

/** An address that somebody has again is not dead. */
function deadAddresses(rows: OverlayRows, network: OverlayNetworkRow): string[] {
  const alive = new Set(
    [...(rows.observed.get(network.id)?.values() ?? [])].flatMap(({ endpoints }) => endpoints.map(({ address }) => address)),
  );
  return network.tombstones.map(({ address }) => address).filter((address) => !alive.has(address));
}
