// Rows as the engine, the firewall and the routers see them. Pure.
import type { AttachRequest, Endpoint, PortBinding } from "../engine/ports.ts";
import type { RouterPort } from "../overlay/virtual-servers.ts";
import { parseSubnet } from "@flotilla/core";
import { ipv6Length } from "./ipv6.ts";
import { hasNames } from "./names.ts";
import type { EndpointRow, NetworkRow, PortRow } from "./network-store.ts";
import type { PublishedPort } from "./nft-table.ts";

/** For messages and events. */
export const nameOf = (request: AttachRequest): string => request.containerName ?? request.hostname;

export function toEndpoint(row: EndpointRow, network: NetworkRow): Endpoint {
  return {
    networkId: network.id,
    networkName: network.name,
    endpointId: row.id,
    ipv4Address: row.address,
    prefixLength: parseSubnet(network.subnet).prefixLength,
    gateway: network.is_internal ? "" : network.gateway,
    ipv6Address: row.address6,
    prefixLength6: row.address6 === "" ? 0 : ipv6Length(network.subnet6),
    gateway6: network.is_internal ? "" : network.gateway6,
    macAddress: row.mac,
    aliases: row.aliases,
    hasNames: hasNames(network),
  };
}

export const toBinding = (row: PortRow): PortBinding => ({
  containerPort: row.container_port,
  protocol: row.protocol,
  hostIp: row.host_address,
  hostPort: row.host_port,
});

/** @param address of the container, or of the router that knows the container's port by the host's. */
export const toPublished = (row: PortRow, address: string, isRouter: boolean): PublishedPort => ({
  hostAddress: row.host_address,
  hostPort: row.host_port,
  protocol: row.protocol,
  containerAddress: address,
  containerPort: isRouter ? row.host_port : row.container_port,
});

/** The way from host to router is IPv4. */
export const routerPortsOf = (rows: readonly PortRow[], carrier: EndpointRow): RouterPort[] =>
  rows
    .filter((row) => !row.host_address.includes(":"))
    .map((row) => ({
      protocol: row.protocol,
      hostPort: row.host_port,
      containerAddress: carrier.address,
      containerPort: row.container_port,
    }));
