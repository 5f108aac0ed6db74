import { join } from "node:path";
import { FlotillaError, parseAddress } from "@flotilla/core";
import { CONTAINER_SYSCTLS } from "../overlay/endpoint-link.ts";
import type { OverlayDriver } from "../overlay/overlay-driver.ts";
import { errnoOf } from "../host/libc.ts";
import type { NetworkKernel, NetworkStack } from "../host/network-kernel.ts";
import type { Sysctls } from "../host/sysctls.ts";
import { toBridgePlan } from "./bridge-driver.ts";
import { gatewayEndpoint, gatewayEndpoint6 } from "./gateway-endpoint.ts";
import type { EndpointRow, NetworkRow, NetworkStore } from "./network-store.ts";
import { LOOPBACK_PLAN, planAdoption, planContainerEnd, planContainerIpv6, planHostEnd, vethName, type EndpointPlan } from "./plan.ts";

export type EndpointDriverOptions = { instance: string; runDir: string; store: NetworkStore; overlay: OverlayDriver };

/** A container's namespace. `isFresh`: it was made just now, and has nothing in it. */
type Inside = { stack: NetworkStack; isFresh: boolean };

/** Makes and checks the namespaces of containers and the links into them. Synchronous: a few milliseconds a container. */
export class EndpointDriver {
  readonly #kernel: NetworkKernel;
  readonly #options: EndpointDriverOptions;

  constructor(kernel: NetworkKernel, options: EndpointDriverOptions) {
    this.#kernel = kernel;
    this.#options = options;
  }

  netnsDirectory(): string {
    return join(this.#options.runDir, "netns");
  }

  netnsPath(containerId: string): string {
    return join(this.netnsDirectory(), containerId);
  }

  /** The namespace with loopback up, and both ends of its links up and on their bridges. Idempotent; bridges exist already. */
  ensure(containerId: string, endpoints: readonly EndpointRow[]): void {
    const isOnOverlay = endpoints.some((endpoint) => this.#network(endpoint).driver === "overlay");
    const { stack, isFresh } = this.#openNetns(containerId, isOnOverlay ? CONTAINER_SYSCTLS : []);
    try {
      this.#ensureEndpoints({ stack, isFresh }, containerId, endpoints);
    } finally {
      stack.close();
    }
  }

  /** Removes one link, both ends. The kernel takes tens of milliseconds over it. */
  removeLink(endpoint: EndpointRow): void {
    if (this.#network(endpoint).driver === "overlay") {
      this.#options.overlay.removeEndpoint(endpoint);
      return;
    }
    this.#kernel.host.apply([{ kind: "delete-link", name: vethName(this.#options.instance, endpoint.number) }]);
  }

  removeNetns(containerId: string): void {
    this.#kernel.removeNetns(this.netnsPath(containerId));
  }

  #openNetns(containerId: string, sysctls: Sysctls): Inside {
    const path = this.netnsPath(containerId);
    if (this.#kernel.hasNetns(path)) return { stack: this.#kernel.openNetns(path, sysctls), isFresh: false };
    // A file whose mount is gone, after a reboot with a durable run directory.
    this.#kernel.removeNetns(path);
    const stack = this.#kernel.createNetns(path, sysctls);
    try {
      stack.apply(LOOPBACK_PLAN);
      return { stack, isFresh: true };
    } catch (error) {
      stack.close();
      throw error;
    }
  }

  #ensureEndpoints({ stack, isFresh }: Inside, containerId: string, endpoints: readonly EndpointRow[]): void {
    const hasPorts = this.#options.store.portsOf(containerId).length > 0;
    const defaultRoute = gatewayEndpoint(endpoints, (id) => this.#options.store.findNetwork(id) ?? { name: "", is_internal: true });
    for (const endpoint of endpoints) {
      const network = this.#network(endpoint);
      const isDefaultRoute = endpoint.id === defaultRoute?.id;
      if (network.driver === "overlay") {
        const place = { netnsPath: this.netnsPath(containerId), position: endpoint.position, isDefaultRoute };
        this.#options.overlay.ensureEndpoint(endpoint, place, { container: stack, isFresh });
        continue;
      }
      this.#ensureEndpoint({ stack, isFresh }, containerId, {
        linkName: vethName(this.#options.instance, endpoint.number),
        position: endpoint.position,
        address: parseAddress(endpoint.address),
        address6: endpoint.address6,
        mac: endpoint.mac,
        isDefaultRoute,
        hasPorts,
        bridge: toBridgePlan(this.#options.instance, network),
      });
    }
    if (defaultRoute !== undefined && !isFresh) this.#routeThrough(stack, defaultRoute);
    const defaultRoute6 = gatewayEndpoint6(endpoints, (id) => this.#options.store.findNetwork(id) ?? { name: "", is_internal: true, gateway6: "" }); // prettier-ignore
    if (defaultRoute6 === undefined) return;
    const link = `eth${defaultRoute6.position}`;
    stack.apply([{ kind: "replace-default-route", gateway: this.#network(defaultRoute6).gateway6, link }]);
  }

  /** A network that came or went may have moved the way out; an overlay's driver sets its own. */
  #routeThrough(stack: NetworkStack, endpoint: EndpointRow): void {
    const { driver, gateway } = this.#network(endpoint);
    if (driver !== "bridge") return;
    const link = `eth${endpoint.position}`;
    const index = stack.findLink(link)?.index;
    const isThere = stack.routes().some((route) => route.prefixLength === 0 && route.linkIndex === index && route.gateway === gateway);
    if (!isThere) stack.apply([{ kind: "replace-default-route", gateway, link }]);
  }

  #network(endpoint: EndpointRow): NetworkRow {
    const network = this.#options.store.findNetwork(endpoint.network_id);
    if (network === undefined) throw new FlotillaError("not_found", `network ${endpoint.network_id} not found`);
    return network;
  }

  #ensureEndpoint(inside: Inside, containerId: string, endpoint: EndpointPlan): void {
    this.#ensureLink(inside, containerId, endpoint);
    inside.stack.apply(planContainerIpv6(endpoint));
  }

  #ensureLink(inside: Inside, containerId: string, endpoint: EndpointPlan): void {
    const bridge = this.#kernel.host.findLink(endpoint.bridge.linkName);
    if (bridge === undefined) throw new FlotillaError("internal", `find link ${endpoint.bridge.linkName}: ENODEV`);
    // Nothing leads into a namespace that was made just now.
    const hostEnd = inside.isFresh ? undefined : this.#kernel.host.findLink(endpoint.linkName);
    if (hostEnd !== undefined && this.#isComplete(inside.stack, endpoint)) {
      if (hostEnd.masterIndex !== bridge.index) {
        const where = { master: bridge.name, hasPorts: endpoint.hasPorts, isIsolating: endpoint.bridge.isIsolating === true };
        this.#kernel.host.apply(planAdoption(hostEnd.name, where));
      }
      return;
    }
    if (hostEnd !== undefined) this.#kernel.host.apply([{ kind: "delete-link", name: endpoint.linkName }]);
    this.#makeLink(endpoint, { netnsPath: this.netnsPath(containerId), mtuBytes: bridge.mtuBytes, bridgeIndex: bridge.index });
    inside.stack.apply(planContainerEnd(endpoint));
    // The end that came up first drops packets until the kernel notes its carrier, which asking for it does at once (Linux 6.8).
    this.#kernel.host.findLink(endpoint.linkName);
  }

  #makeLink(endpoint: EndpointPlan, where: { netnsPath: string; mtuBytes: number; bridgeIndex: number }): void {
    const plan = planHostEnd(endpoint, where);
    try {
      this.#kernel.host.apply(plan);
    } catch (error) {
      // One that leads to a namespace which lost its name and lives on.
      if (errnoOf(error) !== "EEXIST") throw error;
      this.#kernel.host.apply([{ kind: "delete-link", name: endpoint.linkName }, ...plan]);
    }
  }

  /** Cut off between its two halves, a link exists but its far end has no address. */
  #isComplete(inside: NetworkStack, endpoint: EndpointPlan): boolean {
    const link = inside.findLink(`eth${endpoint.position}`);
    if (link === undefined || !link.isUp) return false;
    return inside.addresses().some((held) => held.linkIndex === link.index && parseAddress(held.address) === endpoint.address);
  }
}
