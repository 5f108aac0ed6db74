import { parseSubnet } from "@flotilla/core";
import { ipv6Length } from "./ipv6.ts";
import type { KnownNetwork } from "./network-catalog.ts";
import type { NetworkStore } from "./network-store.ts";
import { bridgeName } from "./plan.ts";

/** A network as the API shows it. */
export type NetworkView = {
  id: string;
  name: string;
  driver: "bridge" | "overlay" | "host" | "null";
  createdAtMs: number;
  isPredefined: boolean;
  isInternal: boolean;
  isAttachable: boolean;
  labels: Readonly<Record<string, string>>;
  options: Readonly<Record<string, string>>;
  /** undefined for host and none. */
  addressing:
    | {
        subnet: string;
        gateway: string;
        addressRange: string;
        reserved: Readonly<Record<string, string>>;
        /** Both "" without IPv6. */
        subnet6: string;
        gateway6: string;
        addressRange6: string;
        reserved6: Readonly<Record<string, string>>;
      }
    | undefined;
  endpoints: {
    containerId: string;
    containerName: string;
    endpointId: string;
    macAddress: string;
    ipv4Address: string;
    prefixLength: number;
    /** "" without IPv6. */
    ipv6Address: string;
    prefixLength6: number;
  }[];
};

export function viewNetwork(store: NetworkStore, network: KnownNetwork, instance: string): NetworkView {
  if (!("row" in network)) {
    const { id, name, driver } = network;
    const none = { isInternal: false, isAttachable: false, labels: {}, options: {}, addressing: undefined, endpoints: [] };
    return { id, name, driver, createdAtMs: 0, isPredefined: true, ...none };
  }
  const { row } = network;
  const { prefixLength } = parseSubnet(row.subnet);
  const isPredefined = row.driver === "bridge" && row.name === "bridge";
  return {
    id: row.id,
    name: row.name,
    driver: row.driver,
    createdAtMs: row.created_at_ms,
    isPredefined,
    isInternal: row.is_internal,
    isAttachable: row.is_attachable,
    labels: row.labels,
    options: isPredefined ? { ...defaultOptions(bridgeName(instance, row.number)), ...row.options } : row.options,
    addressing: {
      subnet: row.subnet,
      gateway: row.gateway,
      addressRange: row.address_range,
      reserved: row.reserved_addresses,
      subnet6: row.subnet6,
      gateway6: row.gateway6,
      addressRange6: row.address_range6,
      reserved6: row.reserved_addresses6,
    },
    endpoints: store.endpointsIn(row.id).map((endpoint) => ({
      containerId: endpoint.container_id,
      containerName: store.findAttachment(endpoint.container_id)?.container_name ?? "",
      endpointId: endpoint.id,
      macAddress: endpoint.mac,
      ipv4Address: endpoint.address,
      prefixLength,
      ipv6Address: endpoint.address6,
      prefixLength6: endpoint.address6 === "" ? 0 : ipv6Length(row.subnet6),
    })),
  };
}

/** What Docker says of its own default bridge, as far as it is true here. */
function defaultOptions(linkName: string): Record<string, string> {
  return {
    "com.docker.network.bridge.default_bridge": "true",
    "com.docker.network.bridge.enable_icc": "true",
    "com.docker.network.bridge.enable_ip_masquerade": "true",
    "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
    "com.docker.network.bridge.name": linkName,
  };
}
