// Networks as Docker's API shows them. Pure.
import type { NetworkView } from "./network-view.ts";

/** Docker's word for a network of several hosts. */
export const scopeOf = (view: NetworkView): "local" | "swarm" => (view.driver === "overlay" ? "swarm" : "local");

/** Docker's `NetworkResource`. */
export function toNetwork(view: NetworkView, endpoints: NetworkView["endpoints"]): Record<string, unknown> {
  return {
    Name: view.name,
    Id: view.id,
    Created: new Date(view.createdAtMs).toISOString(),
    Scope: scopeOf(view),
    Driver: view.driver,
    EnableIPv4: true,
    EnableIPv6: (view.addressing?.subnet6 ?? "") !== "",
    IPAM: { Driver: "default", Options: null, Config: toIpamConfig(view) },
    Internal: view.isInternal,
    Attachable: view.isAttachable,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: Object.fromEntries(endpoints.map((endpoint) => [endpoint.containerId, toContainer(endpoint)])),
    Options: view.options,
    Labels: view.labels,
  };
}

function toIpamConfig({ addressing }: NetworkView): Record<string, unknown>[] {
  if (addressing === undefined) return [];
  const { subnet, gateway, addressRange, reserved, subnet6, gateway6, addressRange6, reserved6 } = addressing;
  const first = toConfig({ subnet, gateway, range: addressRange, reserved });
  return subnet6 === "" ? [first] : [first, toConfig({ subnet: subnet6, gateway: gateway6, range: addressRange6, reserved: reserved6 })];
}

type Family = { subnet: string; gateway: string; range: string; reserved: Readonly<Record<string, string>> };

/** What was not said is left out, as Docker does. */
const toConfig = ({ subnet, gateway, range, reserved }: Family): Record<string, unknown> => ({
  Subnet: subnet,
  ...(range === "" ? {} : { IPRange: range }),
  ...(gateway === "" ? {} : { Gateway: gateway }),
  ...(Object.keys(reserved).length === 0 ? {} : { AuxiliaryAddresses: reserved }),
});

const toContainer = (endpoint: NetworkView["endpoints"][number]): Record<string, string> => ({
  Name: endpoint.containerName,
  EndpointID: endpoint.endpointId,
  MacAddress: endpoint.macAddress,
  IPv4Address: `${endpoint.ipv4Address}/${endpoint.prefixLength}`,
  IPv6Address: endpoint.ipv6Address === "" ? "" : `${endpoint.ipv6Address}/${endpoint.prefixLength6}`,
});
