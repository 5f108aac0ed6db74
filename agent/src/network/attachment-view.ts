// Rows as the engine, the firewall and the routers see them. Pure.
import type { AttachRequest, Endpoint, PortBinding } from "../engine/ports.ts";
import type { RouterPort } from "../overlay/virtual-servers.ts";
import { parseAddress, parseSubnet } from "@flotilla/core";
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
  containerAddress: parseAddress(address),
  containerPort: isRouter ? row.host_port : row.container_port,
});

export const toRouterPort = (row: PortRow, carrier: EndpointRow): RouterPort => ({
  protocol: row.protocol,
  hostPort: row.host_port,
  containerAddress: carrier.address,
  containerPort: row.container_port,
});
