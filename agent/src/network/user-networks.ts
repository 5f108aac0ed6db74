import { randomBytes } from "node:crypto";
import {
  containsAddress,
  FlotillaError,
  formatAddress,
  formatSubnet,
  parseAddress,
  parseSubnet,
  type Subnet,
  subnetsOverlap,
} from "@flotilla/core";
import type { EventBus } from "../events/bus.ts";
import { defaultGateway } from "./address-plan.ts";
import { checkBridgeOptions } from "./bridge-options.ts";
import type { BridgeDriver } from "./bridge-driver.ts";
import type { Firewall } from "./firewall.ts";
import { planIpv6, planIpv6Ranges, type Ipv6Addressing, type Ipv6Ranges, type Ipv6Request } from "./ipv6.ts";
import { PREDEFINED_NETWORKS, type KnownNetwork, type NetworkCatalog } from "./network-catalog.ts";
import type { NetworkRow, NetworkStore } from "./network-store.ts";

export type NetworkCreateRequest = {
  name: string;
  driver: string;
  /** At most one; "" for what the engine is to choose. */
  subnet: string;
  gateway: string;
  addressRange: string;
  /** `--aux-address`: name → address that no container gets. */
  reserved?: Readonly<Record<string, string>>;
  /** undefined: without IPv6. */
  ipv6?: Ipv6Request | undefined;
  isInternal: boolean;
  isAttachable: boolean;
  labels: Record<string, string>;
  options: Record<string, string>;
};

export type UserNetworksDeps = {
  store: NetworkStore;
  catalog: NetworkCatalog;
  bridges: BridgeDriver;
  firewall: Firewall;
  events: EventBus;
};

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
/**
 * RFC 1918, RFC 6598 and RFC 2544. A bridge's subnet becomes a route of the whole host, so a public one would cut the host
 * and every other team off from those addresses.
 */
const PRIVATE_RANGES: readonly Subnet[] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15"].map(
  parseSubnet,
);
const MIN_PREFIX_LENGTH = 8;
const MAX_PREFIX_LENGTH = 30;

/** Networks that users make. Their bridges come with their first endpoint. */
export class UserNetworks {
  readonly #deps: UserNetworksDeps;

  constructor(deps: UserNetworksDeps) {
    this.#deps = deps;
  }

  /** @returns the id. @throws conflict for a name in use, forbidden for a predefined one or an overlap, invalid. */
  create(namespace: string, request: NetworkCreateRequest): string {
    const { store, catalog, events } = this.#deps;
    checkDriver(request.driver);
    if (PREDEFINED_NETWORKS.includes(request.name)) {
      throw new FlotillaError("forbidden", `operation is not permitted on predefined ${request.name} network`);
    }
    if (!NAME.test(request.name)) throw new FlotillaError("invalid", `invalid network name: ${JSON.stringify(request.name.slice(0, 128))}`);
    if (catalog.list(namespace).some((network) => network.name === request.name)) {
      throw new FlotillaError("conflict", `network with name ${request.name} already exists`);
    }
    checkBridgeOptions(request.options);
    const id = randomBytes(32).toString("hex");
    const network = {
      id,
      namespace,
      name: request.name,
      driver: "bridge" as const,
      ...this.#addressing(request),
      ...(request.ipv6 === undefined ? { subnet6: "", gateway6: "" } : addressIpv6(request.ipv6, takenIpv6(store), id)),
      is_internal: request.isInternal,
      is_attachable: request.isAttachable,
      labels: request.labels,
      options: request.options,
      created_at_ms: Date.now(),
    };
    store.addNetwork(network, checkReserved(parseSubnet(network.subnet), request.reserved ?? {}));
    events.publish({ namespace, type: "network", action: "create", id, attributes: { name: request.name, type: "bridge" } });
    return id;
  }

  /** @throws forbidden while containers are on it, and for a predefined one. */
  async remove(namespace: string, nameOrId: string): Promise<void> {
    const network = this.#removable(this.#deps.catalog.get(namespace, nameOrId));
    const { store, bridges, firewall, events } = this.#deps;
    if (store.endpointsIn(network.id).length > 0) {
      throw new FlotillaError("forbidden", `error while removing network: network ${network.name} id ${network.id} has active endpoints`);
    }
    store.removeNetwork(network.id);
    bridges.remove(network);
    await firewall.sync();
    events.publish({ namespace, type: "network", action: "destroy", id: network.id, attributes: { name: network.name, type: "bridge" } });
  }

  #removable(network: KnownNetwork): NetworkRow {
    if (network.driver === "bridge" && network.name !== "bridge") return network.row;
    if (network.driver === "overlay") {
      throw new FlotillaError("not_implemented", `overlay network ${network.name} belongs to all hosts: the control plane removes it`);
    }
    throw new FlotillaError("forbidden", `${network.name} is a pre-defined network and cannot be removed`);
  }

  #addressing(request: NetworkCreateRequest): Pick<NetworkRow, "subnet" | "gateway" | "address_range" | "is_subnet_chosen"> {
    if (request.subnet === "") {
      if (request.gateway !== "" || request.addressRange !== "")
        throw new FlotillaError("invalid", "invalid network config: no matching subnet for gateway or range");
      return { ...this.#deps.bridges.chooseSubnet(), address_range: "", is_subnet_chosen: true };
    }
    const subnet = this.#checkSubnet(request.subnet);
    const gateway = request.gateway === "" ? defaultGateway(subnet) : parseAddress(request.gateway);
    if (!containsAddress(subnet, gateway)) throw new FlotillaError("invalid", `no matching subnet for gateway ${request.gateway}`);
    return {
      subnet: formatSubnet(subnet),
      gateway: formatAddress(gateway),
      address_range: request.addressRange === "" ? "" : checkRange(subnet, request.addressRange),
      is_subnet_chosen: false,
    };
  }

  #checkSubnet(text: string): Subnet {
    const subnet = parseSubnet(text);
    const isPrivate = PRIVATE_RANGES.some((range) => containsAddress(range, subnet.first) && subnet.prefixLength >= range.prefixLength);
    if (!isPrivate || subnet.prefixLength < MIN_PREFIX_LENGTH || subnet.prefixLength > MAX_PREFIX_LENGTH) {
      throw new FlotillaError(
        "invalid",
        `invalid subnet ${text}: it must lie in a private range and be /${MIN_PREFIX_LENGTH} to /${MAX_PREFIX_LENGTH}`,
      );
    }
    if (this.#deps.bridges.takenSubnets().some((taken) => subnetsOverlap(taken, subnet))) {
      throw new FlotillaError("forbidden", "Pool overlaps with other one on this address space");
    }
    return subnet;
  }
}

/** Subnets of all namespaces: a bridge's is a route of the whole host. Overlays have namespaces of their own. */
const takenIpv6 = (store: NetworkStore): string[] =>
  store
    .networks()
    .filter(({ driver, subnet6 }) => driver === "bridge" && subnet6 !== "")
    .map(({ subnet6 }) => subnet6);

function addressIpv6(request: Ipv6Request, taken: readonly string[], seed: string): Ipv6Addressing & Ipv6Ranges {
  const addressing = planIpv6(request, taken, seed);
  return { ...addressing, ...planIpv6Ranges(request, addressing.subnet6) };
}

function checkDriver(driver: string): void {
  if (driver === "" || driver === "default" || driver === "bridge") return;
  if (driver === "overlay")
    throw new FlotillaError(
      "not_implemented",
      "an overlay network belongs to all hosts: the control plane makes it, this host alone cannot",
    );
  throw new FlotillaError("not_found", `could not find plugin ${driver} in v1 plugin registry: plugin not found`);
}

function checkReserved(subnet: Subnet, reserved: Readonly<Record<string, string>>): Record<string, string> {
  for (const address of Object.values(reserved)) {
    if (!containsAddress(subnet, parseAddress(address)))
      throw new FlotillaError("invalid", `no matching subnet for aux-address ${address}`);
  }
  return { ...reserved };
}

function checkRange(subnet: Subnet, text: string): string {
  const range = parseSubnet(text);
  if (!containsAddress(subnet, range.first) || range.prefixLength < subnet.prefixLength) {
    throw new FlotillaError("invalid", `invalid ip-range ${text}: parent subnet ${formatSubnet(subnet)} does not contain it`);
  }
  return formatSubnet(range);
}
