import { randomBytes } from "node:crypto";
import { FlotillaError, KeyedLock, type Logger, macOfAddress, parseAddress, toFlotillaError, wrapError } from "@flotilla/core";
import type { Attachment, AttachRequest, Endpoint, EndpointRequest } from "../engine/ports.ts";
import type { EventBus } from "../events/bus.ts";
import type { AddressPins } from "../overlay/network-wishes.ts";
import type { OverlayDriver } from "../overlay/overlay-driver.ts";
import type { OverlayStore } from "../overlay/overlay-store.ts";
import type { RouterPort } from "../overlay/virtual-servers.ts";
import { nameOf, toBinding, routerPortsOf, toEndpoint, toPublished } from "./attachment-view.ts";
import type { BridgeDriver } from "./bridge-driver.ts";
import type { EndpointDriver } from "./endpoint-driver.ts";
import type { Firewall } from "./firewall.ts";
import { gatewayEndpoint, gatewayEndpoint6 } from "./gateway-endpoint.ts";
import { chooseEndpointAddresses, isFull, isToBePinned } from "./endpoint-address.ts";
import { macOfIpv6 } from "./ipv6.ts";
import type { NetworkCatalog } from "./network-catalog.ts";
import type { AttachmentRow, EndpointRow, NetworkRow, NetworkStore, PortRow } from "./network-store.ts";
import type { PublishedPort } from "./nft-table.ts";
import type { Names } from "./names.ts";
import type { PortAllocator } from "./port-allocator.ts";
import { planUplink } from "./uplinks.ts";

export type AttachmentsDeps = {
  store: NetworkStore;
  catalog: NetworkCatalog;
  bridges: BridgeDriver;
  overlay: OverlayDriver;
  overlayStore: OverlayStore;
  endpoints: EndpointDriver;
  firewall: Firewall;
  ports: PortAllocator;
  names: Names;
  events: EventBus;
  logger: Logger;
  /** Who gives this host addresses of overlay networks that it does not have. */
  addresses: AddressPins;
};

type Addressed = Pick<AttachRequest, "namespace"> & { endpoints: readonly Pick<EndpointRequest, "networkName" | "ipv4Address">[] };

const isOverlay = ({ driver }: NetworkRow): boolean => driver === "overlay";

/** Blocks that one container may wait for: while it does, others take from them too. */
const MAX_BLOCKS = 8;

/**
 * Containers on networks. Allocation is one transaction and synchronous; what the kernel then gets is derived from the
 * rows alone, so that attach, a repeated attach and a restart do the same thing.
 *
 * INVARIANTS: one operation at a time per container; rows before kernel objects when attaching, kernel objects before
 * rows when detaching, so that whatever a crash leaves is found by reconcile().
 */
export class Attachments {
  readonly #deps: AttachmentsDeps;
  readonly #lock = new KeyedLock();

  constructor(deps: AttachmentsDeps) {
    this.#deps = deps;
  }

  attach(request: AttachRequest): Promise<Attachment> {
    return this.#lock.run(request.containerId, async () => {
      for (const endpoint of request.endpoints) await this.#reserve(request.namespace, endpoint);
      const isNew = await this.#withAddresses(request, () => this.#record(request));
      try {
        await this.#build(request.containerId);
      } catch (error) {
        await this.#undo(request.containerId);
        await this.#refreshNames(request.containerId);
        throw wrapError(`set up network of container ${nameOf(request)}`, error);
      }
      if (isNew) this.#publishEvents("connect", request.containerId);
      await this.#refreshNames(request.containerId);
      return this.describe(request.containerId);
    });
  }

  detach(containerId: string): Promise<void> {
    return this.#lock.run(containerId, async () => {
      this.#publishEvents("disconnect", containerId);
      const networkIds = this.#networkIds(containerId);
      await this.#undo(containerId);
      await this.#refreshOverlays(networkIds);
      await this.#refreshNames(containerId);
    });
  }

  /** Adds a running container to one more network. @throws conflict when it is there already. */
  connect(containerId: string, request: EndpointRequest): Promise<Endpoint> {
    return this.#lock.run(containerId, async () => {
      const { store } = this.#deps;
      const attachment = this.#attachment(containerId);
      await this.#reserve(attachment.namespace, request);
      const { namespace } = attachment;
      const network = await this.#withAddresses({ namespace, endpoints: [request] }, () =>
        store.transaction(() => this.#addEndpoint(attachment, request)),
      );
      try {
        await this.#build(containerId);
      } catch (error) {
        this.#dropEndpoint(containerId, network.id);
        await this.#refreshOverlays([network.id]).catch(() => undefined);
        throw wrapError(`connect container ${attachment.container_name} to network ${network.name}`, error);
      }
      this.#publishEvents("connect", containerId, network.id);
      await this.#refreshNames(containerId);
      const endpoint = this.describe(containerId).endpoints.find((candidate) => candidate.networkId === network.id);
      if (endpoint === undefined) throw new FlotillaError("internal", `endpoint of ${containerId} on ${network.name} is gone`);
      return endpoint;
    });
  }

  /** Takes a running container off a network; its published ports go with the endpoint that carried them. */
  disconnect(containerId: string, networkId: string): Promise<void> {
    return this.#lock.run(containerId, async () => {
      this.#publishEvents("disconnect", containerId, networkId);
      this.#dropEndpoint(containerId, networkId);
      await this.#refreshOverlays([networkId]);
      if (this.#deps.store.portsOf(containerId).length > 0) await this.#deps.firewall.sync();
      this.#deps.endpoints.ensure(containerId, this.#deps.store.endpointsOf(containerId));
      await this.#refreshNames(containerId);
    });
  }

  /** Others then find it by the new name. */
  rename(containerId: string, name: string): void {
    this.#deps.store.setContainerName(containerId, name);
    void this.#refreshNames(containerId);
  }

  describe(containerId: string): Attachment {
    const { store, endpoints } = this.#deps;
    return {
      netnsPath: endpoints.netnsPath(containerId),
      endpoints: store.endpointsOf(containerId).map((endpoint) => toEndpoint(endpoint, this.#network(endpoint.network_id))),
      ports: store.portsOf(containerId).map(toBinding),
    };
  }

  /** Ports of a container as the firewall has them: on the endpoint that its default route leads through. */
  publishedPorts(containerId: string): PublishedPort[] {
    const { store } = this.#deps;
    const { v4 = [], v6 = [] } = Object.groupBy(store.portsOf(containerId), (port) => (port.host_address.includes(":") ? "v6" : "v4"));
    return [...this.#publishedV4(containerId, v4), ...this.#publishedV6(containerId, v6)];
  }

  #publishedV4(containerId: string, ports: readonly PortRow[]): PublishedPort[] {
    const carrier = this.#carrier(containerId);
    if (carrier === undefined) return [];
    const router = this.#network(carrier.network_id).driver === "overlay" ? this.#deps.overlay.uplink(carrier.network_id) : undefined;
    return ports.map((port) => toPublished(port, router?.routerAddress ?? carrier.address, router !== undefined));
  }

  #publishedV6(containerId: string, ports: readonly PortRow[]): PublishedPort[] {
    const carrier = gatewayEndpoint6(this.#deps.store.endpointsOf(containerId), (id) => this.#network(id));
    return carrier === undefined ? [] : ports.map((port) => toPublished(port, carrier.address6, false));
  }

  /** Ports that containers publish through an overlay network: the host hands them to its router under the host's number. */
  routerPorts(networkId: string): RouterPort[] {
    const { store } = this.#deps;
    const publishers = store.publishersIn(networkId);
    if (publishers.size === 0) return [];
    const isCarrier = (endpoint: EndpointRow): boolean => this.#carrier(endpoint.container_id)?.id === endpoint.id;
    return store
      .endpointsIn(networkId)
      .filter((endpoint) => publishers.has(endpoint.container_id) && isCarrier(endpoint))
      .flatMap((endpoint) => routerPortsOf(store.portsOf(endpoint.container_id), endpoint));
  }

  /** Makes the kernel have what the rows of a container say. Idempotent. */
  async restore(containerId: string): Promise<void> {
    const lost = this.#deps.ports.hold(containerId);
    for (const port of lost)
      this.#deps.logger.warn("published port was taken by a program meanwhile", { containerId, port: port.host_port });
    await this.#build(containerId);
  }

  async #build(containerId: string): Promise<void> {
    const { store, bridges, endpoints, firewall } = this.#deps;
    const rows = store.endpointsOf(containerId);
    const networks = rows.map((row) => this.#network(row.network_id));
    for (const network of networks) {
      if (network.driver === "bridge") await bridges.ensure(network);
      else await this.#ensureOverlay(network.id);
    }
    endpoints.ensure(containerId, rows);
    await this.#refreshOverlays(networks.map((network) => network.id));
    await firewall.publish(this.publishedPorts(containerId));
  }

  async #ensureOverlay(networkId: string): Promise<void> {
    const { overlay, firewall } = this.#deps;
    if (overlay.isIntact(networkId) || !(await overlay.ensure(networkId))) return;
    const uplink = planUplink(overlay, networkId);
    if (uplink !== undefined) await firewall.admit(uplink);
  }

  /** A container without names is better than none: what goes wrong is said in the log. */
  async #refreshNames(containerId: string): Promise<void> {
    try {
      await this.#deps.names.refreshContainer(containerId);
    } catch (error) {
      this.#deps.logger.error("names of containers may not resolve", { error });
    }
  }

  /** Tables of routers name the containers on them. */
  async #refreshOverlays(networkIds: readonly string[]): Promise<void> {
    for (const id of networkIds) if (this.#network(id).driver === "overlay") await this.#deps.overlay.refresh(id);
  }

  async #undo(containerId: string): Promise<void> {
    const { store, endpoints, firewall, ports } = this.#deps;
    const published = this.publishedPorts(containerId);
    store.removePorts(containerId);
    try {
      await firewall.withdraw(published);
    } finally {
      // Whatever nft says: the rest must not stay because of it.
      endpoints.removeNetns(containerId);
      store.removeAttachment(containerId);
      ports.release(containerId);
    }
  }

  /** Writes the rows. @returns false when the container has them already, for the same networks. */
  async #record(request: AttachRequest): Promise<boolean> {
    const { store, catalog, ports } = this.#deps;
    if (store.findAttachment(request.containerId) !== undefined) {
      const wanted = request.endpoints.map((endpoint) => catalog.getAddressed(request.namespace, endpoint.networkName).id);
      const held = store.endpointsOf(request.containerId).map((endpoint) => endpoint.network_id);
      if (wanted.length === held.length && wanted.every((id) => held.includes(id))) return false;
      await this.#undo(request.containerId);
    }
    store.transaction(() => {
      const attachment = {
        container_id: request.containerId,
        namespace: request.namespace,
        hostname: request.hostname,
        container_name: nameOf(request),
        dns_servers: [...(request.dnsServers ?? [])],
      };
      store.addAttachment(attachment);
      for (const endpoint of request.endpoints) this.#addEndpoint(attachment, endpoint);
      if (request.endpoints.length > 0) this.#allocatePorts(request, ports);
    });
    return true;
  }

  #allocatePorts(request: AttachRequest, ports: PortAllocator): void {
    try {
      const carrier6 = gatewayEndpoint6(this.#deps.store.endpointsOf(request.containerId), (id) => this.#network(id));
      ports.allocate(request.containerId, request.ports, { hasIpv6: carrier6 !== undefined });
    } catch (error) {
      throw wrapError(`driver failed programming external connectivity on endpoint ${nameOf(request)}`, error);
    }
  }

  /** Before anything is written: the control plane may have to be asked for the address. */
  async #reserve(namespace: string, request: EndpointRequest): Promise<void> {
    const network = this.#deps.catalog.getAddressed(namespace, request.networkName);
    const address = request.ipv4Address;
    if (isToBePinned(this.#deps, network, address)) await this.#deps.addresses.pin({ namespace }, { networkId: network.id, address });
  }

  /**
   * Writes rows, with as many more blocks of addresses as that needs. Without a control plane, or when it has none, what the rows' writer said
   * of the addresses is what is said.
   */
  async #withAddresses<T>({ namespace, endpoints }: Addressed, write: () => T | Promise<T>): Promise<T> {
    const { catalog, addresses } = this.#deps;
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await write();
      } catch (error) {
        const chosen = endpoints.filter(({ ipv4Address }) => ipv4Address === undefined);
        const networks = chosen.map(({ networkName }) => catalog.getAddressed(namespace, networkName)).filter(isOverlay);
        if (networks.length === 0 || attempt >= MAX_BLOCKS || toFlotillaError(error).code !== "exhausted") throw error;
        // None is full: another container's wish was fulfilled meanwhile.
        const full = networks.find((network) => isFull(this.#deps, network));
        try {
          if (full !== undefined) await addresses.grow({ namespace }, full.id);
        } catch {
          throw error;
        }
      }
    }
  }

  #addEndpoint(attachment: AttachmentRow, request: EndpointRequest): NetworkRow {
    const { store, catalog, bridges } = this.#deps;
    const network = bridges.settleSubnet(catalog.getAddressed(attachment.namespace, request.networkName));
    const present = store.endpointsOf(attachment.container_id);
    if (present.some((endpoint) => endpoint.network_id === network.id)) {
      throw new FlotillaError("forbidden", `endpoint with name ${attachment.container_name} already exists in network ${network.name}`);
    }
    const wish = { fixed: request.ipv4Address, fixed6: request.ipv6Address, containerId: attachment.container_id };
    const { address, address6 } = chooseEndpointAddresses(this.#deps, network, wish);
    store.addEndpoint({
      id: randomBytes(32).toString("hex"),
      container_id: attachment.container_id,
      network_id: network.id,
      position: present.reduce((next, endpoint) => Math.max(next, endpoint.position + 1), 0),
      address,
      address6,
      // Whoever has the address again has the MAC address too: neighbours remember the pair for half a minute.
      mac:
        request.macAddress ??
        (wish.fixed === undefined && wish.fixed6 !== undefined ? macOfIpv6(address6) : macOfAddress(parseAddress(address))),
      aliases: request.aliases,
      links: request.links ?? [],
    });
    return network;
  }

  #dropEndpoint(containerId: string, networkId: string): void {
    const endpoint = this.#deps.store.endpointsOf(containerId).find((candidate) => candidate.network_id === networkId);
    if (endpoint === undefined) throw new FlotillaError("forbidden", `container ${containerId} is not connected to network ${networkId}`);
    this.#deps.endpoints.removeLink(endpoint);
    this.#deps.store.removeEndpoint(endpoint.id);
  }

  #publishEvents(action: "connect" | "disconnect", containerId: string, onlyNetworkId?: string): void {
    const { store, events } = this.#deps;
    const attachment = store.findAttachment(containerId);
    if (attachment === undefined) return;
    for (const endpoint of store.endpointsOf(containerId)) {
      if (onlyNetworkId !== undefined && endpoint.network_id !== onlyNetworkId) continue;
      const { name, driver } = this.#network(endpoint.network_id);
      const attributes = { container: containerId, name, type: driver };
      events.publish({ namespace: attachment.namespace, type: "network", action, id: endpoint.network_id, attributes });
    }
  }

  #carrier(containerId: string): EndpointRow | undefined {
    return gatewayEndpoint(this.#deps.store.endpointsOf(containerId), (id) => this.#network(id));
  }

  #networkIds(containerId: string): string[] {
    return this.#deps.store.endpointsOf(containerId).map((endpoint) => endpoint.network_id);
  }

  #attachment(containerId: string): AttachmentRow {
    const attachment = this.#deps.store.findAttachment(containerId);
    if (attachment === undefined) throw new FlotillaError("conflict", `container ${containerId} is not running`);
    return attachment;
  }

  #network(id: string): NetworkRow {
    const network = this.#deps.store.findNetwork(id);
    if (network === undefined) throw new FlotillaError("not_found", `network ${id} not found`);
    return network;
  }
}
