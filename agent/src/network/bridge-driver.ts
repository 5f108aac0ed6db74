import {
  FlotillaError,
  formatAddress,
  formatSubnet,
  KeyedLock,
  type Logger,
  parseAddress,
  parseSubnet,
  type Subnet,
  subnetOf,
  subnetsOverlap,
} from "@flotilla/core";
import type { NetworkKernel } from "../host/network-kernel.ts";
import type { Link, Route } from "../host/link-operations.ts";
import { chooseSubnet, defaultGateway } from "./address-plan.ts";
import { readBridgeOptions } from "./bridge-options.ts";
import type { Firewall } from "./firewall.ts";
import type { NetworkRow, NetworkStore } from "./network-store.ts";
import { bridgeName, planAdoption, planBridge, planBridgeIpv6, vethName, type BridgePlan } from "./plan.ts";

const DEFAULT_MTU_BYTES = 1500;

export type BridgeDriverOptions = {
  instance: string;
  store: NetworkStore;
  firewall: Firewall;
  logger: Logger;
  /** Addresses that containers and host must go on reaching though no route names them: the host's resolvers. */
  reservedAddresses: () => string[];
};

export function toBridgePlan(instance: string, network: NetworkRow): BridgePlan {
  const { hasIcc, masquerades } = readBridgeOptions(network.options);
  return {
    ...(hasIcc ? {} : { isIsolating: true }),
    ...(masquerades ? {} : { keepsSource: true }),
    linkName: bridgeName(instance, network.number),
    subnet: parseSubnet(network.subnet),
    gateway: parseAddress(network.gateway),
    isInternal: network.is_internal,
    ...(network.subnet6 === "" ? {} : { ipv6: { subnet: network.subnet6, gateway: network.gateway6 } }),
  };
}

/** Makes bridges when they are first needed and takes idle ones away. */
export class BridgeDriver {
  readonly #kernel: NetworkKernel;
  readonly #options: BridgeDriverOptions;
  readonly #lock = new KeyedLock();
  readonly #ready = new Set<string>();

  constructor(kernel: NetworkKernel, options: BridgeDriverOptions) {
    this.#kernel = kernel;
    this.#options = options;
  }

  /** Networks whose bridge this process has made or checked. */
  isReady(networkId: string): boolean {
    return this.#ready.has(networkId);
  }

  /** Subnets that a new network must not overlap: other networks', what the host routes, and its resolvers. */
  takenSubnets(exceptNetworkId?: string): Subnet[] {
    const { store, instance } = this.#options;
    // Overlay networks have namespaces of their own: their subnets are no routes of this host.
    const networks = store.networks().filter((network) => network.driver === "bridge");
    const others = networks.filter((network) => network.id !== exceptNetworkId);
    const own = networks.find((network) => network.id === exceptNetworkId);
    const ownIndex = own === undefined ? undefined : this.#kernel.host.findLink(bridgeName(instance, own.number))?.index;
    const routed = this.#kernel.host.routes().filter((route) => route.prefixLength > 0 && route.linkIndex !== ownIndex);
    return [
      ...this.#options.reservedAddresses().map((address) => subnetOf(parseAddress(address), 32)),
      ...others.map((network) => parseSubnet(network.subnet)),
      ...routed.map((route) => subnetOf(parseAddress(route.destination), route.prefixLength)),
    ];
  }

  /** A subnet of the pools with its gateway, free at this moment. */
  chooseSubnet(exceptNetworkId?: string): { subnet: string; gateway: string } {
    const subnet = chooseSubnet(this.takenSubnets(exceptNetworkId));
    return { subnet: formatSubnet(subnet), gateway: formatAddress(defaultGateway(subnet)) };
  }

  /**
   * The network with a subnet that is still free: while its bridge was away another program (or instance) may have taken
   * the one chosen for it. A subnet that a user chose, or that endpoints use, stays.
   */
  settleSubnet(network: NetworkRow): NetworkRow {
    const { store, instance, logger } = this.#options;
    if (!network.is_subnet_chosen || store.isInUse(network.id)) return network;
    if (this.#kernel.host.findLink(bridgeName(instance, network.number)) !== undefined) return network;
    const own = parseSubnet(network.subnet);
    if (!this.takenSubnets(network.id).some((taken) => subnetsOverlap(taken, own))) return network;
    const chosen = this.chooseSubnet(network.id);
    store.setSubnet(network.id, chosen);
    logger.warn("network moved to another subnet", { networkId: network.id, was: network.subnet, is: chosen.subnet });
    return { ...network, ...chosen, last_address: "0.0.0.0" };
  }

  /** The bridge is there and up, with the firewall that belongs to it. Idempotent. */
  async ensure(network: NetworkRow): Promise<Link> {
    const name = bridgeName(this.#options.instance, network.number);
    const present = this.#ready.has(network.id) ? this.#kernel.host.findLink(name) : undefined;
    if (present !== undefined) return present;
    return this.#lock.run(network.id, () => this.#make(network, name));
  }

  /** Deletes the bridge. Idempotent; the firewall is the caller's. */
  remove(network: NetworkRow): void {
    this.#ready.delete(network.id);
    this.#kernel.host.apply([{ kind: "delete-link", name: bridgeName(this.#options.instance, network.number) }]);
  }

  async #make(network: NetworkRow, name: string): Promise<Link> {
    const existing = this.#kernel.host.findLink(name);
    if (existing !== undefined && this.#ready.has(network.id)) return existing;
    const plan = toBridgePlan(this.#options.instance, network);
    if (existing === undefined || !this.#isAsPlanned(existing, plan)) {
      this.#kernel.host.apply([{ kind: "delete-link", name }, ...planBridge(plan, this.#mtuBytes(network))]);
      this.#adoptEndpoints(network, name);
    }
    this.#setSysctls(name, plan.ipv6 !== undefined);
    this.#kernel.host.apply(planBridgeIpv6(plan));
    this.#ready.add(network.id);
    await this.#options.firewall.admit(plan);
    const link = this.#kernel.host.findLink(name);
    if (link === undefined) throw new FlotillaError("internal", `find link ${name}: ENODEV`);
    return link;
  }

  #isAsPlanned(link: Link, plan: BridgePlan): boolean {
    const wanted = formatAddress(plan.gateway);
    return (
      link.kind === "bridge" &&
      link.isUp &&
      this.#kernel.host.addresses().some((held) => held.linkIndex === link.index && held.address === wanted)
    );
  }

  /** A bridge that someone deleted under running containers: their links are still there. */
  #adoptEndpoints(network: NetworkRow, master: string): void {
    const isIsolating = toBridgePlan(this.#options.instance, network).isIsolating === true;
    for (const endpoint of this.#options.store.endpointsIn(network.id)) {
      const name = vethName(this.#options.instance, endpoint.number);
      const hasPorts = this.#options.store.portsOf(endpoint.container_id).length > 0;
      if (this.#kernel.host.findLink(name) !== undefined) this.#kernel.host.apply(planAdoption(name, { master, hasPorts, isIsolating }));
    }
  }

  #setSysctls(name: string, hasIpv6: boolean): void {
    this.#kernel.setSysctl("net/ipv4/ip_forward", "1");
    // 127.0.0.1:port of the host: an answer to a loopback address comes in here. The table drops what starts here.
    this.#kernel.setSysctl(`net/ipv4/conf/${name}/route_localnet`, "1");
    this.#kernel.setSysctl(`net/ipv6/conf/${name}/disable_ipv6`, hasIpv6 ? "0" : "1");
    if (hasIpv6) this.#kernel.forwardIpv6();
  }

  /** As large as the way out allows: a container's packets must not need fragmenting there. */
  #mtuBytes(network: NetworkRow): number {
    const { mtuBytes } = readBridgeOptions(network.options);
    if (mtuBytes !== undefined) return mtuBytes;
    const isDefault = (route: Route): boolean => route.prefixLength === 0 && route.gateway !== "";
    const [best] = this.#kernel.host
      .routes()
      .filter(isDefault)
      .sort((a, b) => a.metric - b.metric);
    return this.#kernel.host.links().find((link) => link.index === best?.linkIndex)?.mtuBytes ?? DEFAULT_MTU_BYTES;
  }
}
