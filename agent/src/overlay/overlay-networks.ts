import { isDeepStrictEqual } from "node:util";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { findContradiction, networkState, type NetworkState } from "@flotilla/protocol";
import type { NetworkKernel } from "../host/network-kernel.ts";
import type { PortReservation } from "../host/port-reservation.ts";
import type { NetworkStore } from "../network/network-store.ts";
import { uplinkPrefix } from "./names.ts";
import { NetworkServices, type ServiceBodies, type TouchedServices } from "./network-services.ts";
import type { OverlayDriver } from "./overlay-driver.ts";
import type { OverlayStore } from "./overlay-store.ts";

/** A port of a service that every host answers on. */
export type IngressPort = { protocol: "tcp" | "udp"; port: number; routerAddress: string };

export type OverlayNetworksDeps = {
  networks: NetworkStore;
  store: OverlayStore;
  driver: OverlayDriver;
  host: NetworkKernel;
  instance: string;
  /** The host's own table may have to be another: uplinks or published ports have changed. */
  syncFirewall(): Promise<void>;
};

/** What may be another than before: networks, and services by the id of their network. */
export type OverlayChanges = { networks: ReadonlySet<string>; services: TouchedServices };

const UPLINKS = 8_192;

/**
 * What the control plane says of overlay networks, brought into the store, the list of networks and the kernel. Takes the
 * full list each time and may be repeated; what is wrong with one network does not keep the others from working.
 */
export class OverlayNetworks {
  readonly #deps: OverlayNetworksDeps;
  readonly #reservations = new Map<string, PortReservation>();
  /** By `<network id>/<service id>`. */
  #portProblems = new Map<string, string>();
  #ingress = "[]";
  readonly #accepted = new Map<string, unknown>();
  /** Networks that are as they were last told. */
  readonly #settled = new Set<string>();
  readonly #services: NetworkServices;

  constructor(deps: OverlayNetworksDeps) {
    this.#deps = deps;
    this.#services = new NetworkServices(deps.store);
  }

  /**
   * @param bodies by network id, as they came, all of them.
   * @param services those that may be others than before.
   * @returns what went wrong, by network id or `<network id>/<service id>`, and what names may have changed with.
   */
  async apply(
    bodies: ReadonlyMap<string, unknown>,
    services: ServiceBodies,
  ): Promise<{ failures: Map<string, string>; changes: OverlayChanges }> {
    const failures = new Map<string, string>();
    for (const [id, body] of bodies) this.#guard(failures, id, () => this.#accept(id, body));
    const accepted = this.#services.accept(services);
    const networks = new Set(this.#deps.store.all().flatMap(({ networkId }) => (this.#settled.has(networkId) ? [] : [networkId])));
    let isMoved = false;
    for (const { networkId } of this.#deps.store.all()) {
      if (bodies.has(networkId)) continue;
      isMoved = true;
      await this.#guardAsync(failures, networkId, () => this.#forget(networkId));
    }
    isMoved = this.#reservePorts() || isMoved;
    for (const { networkId } of this.#deps.store.all()) {
      const touched = accepted.touched.get(networkId);
      if (failures.has(networkId) || (touched === undefined && this.#settled.has(networkId))) continue;
      if (!this.#settled.has(networkId)) isMoved = true;
      await this.#guardAsync(failures, networkId, () => this.#realize(networkId, touched));
    }
    if (isMoved) await this.#deps.syncFirewall();
    return {
      failures: new Map([...this.#portProblems, ...accepted.failures, ...failures]),
      changes: { networks, services: accepted.touched },
    };
  }

  /** Services that are stored, as `<network id>/<service id>`. */
  services(): string[] {
    const { store } = this.#deps;
    return store.all().flatMap(({ networkId }) => [...store.services(networkId).keys()].map((id) => `${networkId}/${id}`));
  }

  /** After a start, from what is stored. */
  async reconcile(): Promise<Map<string, string>> {
    this.#reservePorts();
    return this.#deps.driver.reconcile();
  }

  /** Ports of services that this host answers on: those that no program has. */
  ingressPorts(): IngressPort[] {
    return this.#publishedPorts()
      .filter(({ key }) => this.#reservations.has(key))
      .map(({ protocol, port, routerAddress }) => ({ protocol, port, routerAddress }));
  }

  close(): void {
    for (const reservation of this.#reservations.values()) reservation.release();
    this.#reservations.clear();
  }

  #accept(id: string, body: unknown): void {
    // The same object as the last time: a body may be megabytes, and another network's change brings all of them here.
    if (this.#accepted.get(id) === body && this.#deps.store.find(id) !== undefined) return;
    const parsed = networkState.safeParse(body);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new FlotillaError("invalid", `network ${id}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "invalid"}`);
    }
    const state = parsed.data;
    const contradiction = findContradiction(state);
    if (state.id !== id) throw new FlotillaError("invalid", `network ${id}: its body is that of ${state.id}`);
    if (contradiction !== undefined) throw new FlotillaError("invalid", `network ${state.name}: ${contradiction}`);
    const twin = this.#deps.store.all().find((row) => row.networkId !== id && row.state.vni === state.vni);
    if (twin !== undefined)
      throw new FlotillaError("conflict", `network ${state.name}: VNI ${state.vni} is that of network ${twin.state.name}`);
    const before = this.#deps.store.find(id);
    if (before !== undefined && (before.state.vni !== state.vni || before.state.subnet !== state.subnet)) {
      throw new FlotillaError("conflict", `network ${state.name}: VNI and subnet of a network never change`);
    }
    if (!isDeepStrictEqual(before?.state, state)) {
      this.#settled.delete(id);
      this.#deps.networks.transaction(() => {
        this.#list(state);
        this.#deps.store.put({ networkId: id, state, uplinkIndex: before?.uplinkIndex ?? this.#freeUplink() });
      });
    }
    this.#accepted.set(id, body);
  }

  /** The network's row beside those of bridges: `docker network ls` shows it, endpoints refer to it. */
  #list(state: NetworkState): void {
    const { networks } = this.#deps;
    if (networks.findNetwork(state.id) !== undefined) return;
    const namesake = networks.findNamed(state.namespace, state.name);
    if (namesake !== undefined) throw new FlotillaError("conflict", `network ${state.name}: this host has a network of that name already`);
    networks.addNetwork({
      id: state.id,
      namespace: state.namespace,
      name: state.name,
      driver: "overlay",
      subnet: state.subnet,
      gateway: state.gateway,
      address_range: "",
      subnet6: state.subnet6 ?? "",
      gateway6: "",
      is_subnet_chosen: false,
      is_internal: state.isInternal,
      is_attachable: state.isAttachable,
      labels: state.labels,
      options: state.options,
      created_at_ms: state.createdAtMs,
    });
  }

  async #forget(networkId: string): Promise<void> {
    const { networks, store, driver } = this.#deps;
    const { state } = driver.row(networkId);
    if (networks.endpointsIn(networkId).length > 0) {
      throw new FlotillaError("conflict", `network ${state.name} is to go, but containers of this host are on it`);
    }
    await driver.remove(networkId);
    this.#services.forgetNetwork(networkId);
    this.#settled.delete(networkId);
    networks.transaction(() => {
      networks.removeNetwork(networkId);
      store.remove(networkId);
    });
    this.#accepted.delete(networkId);
  }

  /** @param touched all that may differ from what was realized before, when it was. */
  async #realize(networkId: string, touched: ReadonlySet<string> | undefined): Promise<void> {
    const { driver } = this.#deps;
    const isSettled = this.#settled.delete(networkId);
    // A first or a last published port is the host's table's business too: reservePorts says so.
    if (!driver.isWanted(networkId)) {
      if (driver.isOpen(networkId)) await driver.remove(networkId);
    } else if (isSettled && touched !== undefined && driver.isOpen(networkId)) await driver.update(networkId, touched);
    else await driver.ensure(networkId);
    this.#settled.add(networkId);
  }

  /**
   * Binds each port that every host is to answer on, so that no program gets it, and lets go of those that are no more.
   * @returns whether the host's table may have to be another.
   */
  #reservePorts(): boolean {
    const published = this.#publishedPorts();
    const keys = new Set(published.map(({ key }) => key));
    for (const [key, reservation] of this.#reservations) {
      if (keys.has(key)) continue;
      reservation.release();
      this.#reservations.delete(key);
    }
    this.#portProblems = new Map();
    for (const { key, protocol, port, owner } of published) {
      if (this.#reservations.has(key)) continue;
      try {
        this.#reservations.set(key, this.#deps.host.reservePort({ protocol, address: "0.0.0.0", port }));
      } catch (error) {
        this.#portProblems.set(owner, `port ${port}/${protocol} cannot be published on this host: ${toFlotillaError(error).message}`);
      }
    }
    const before = this.#ingress;
    this.#ingress = JSON.stringify(this.ingressPorts());
    return before !== this.#ingress;
  }

  #publishedPorts(): (IngressPort & { key: string; owner: string })[] {
    const { store, driver } = this.#deps;
    return store.all().flatMap(({ networkId }) => {
      const services = [...store.published(networkId).values()];
      const routerAddress = services.length > 0 ? driver.uplink(networkId)?.routerAddress : undefined;
      if (routerAddress === undefined) return [];
      return services.flatMap((service) =>
        service.ports.flatMap(({ protocol, publishedPort: port }) =>
          port === null ? [] : [{ protocol, port, routerAddress, key: `${protocol} ${port}`, owner: `${networkId}/${service.id}` }],
        ),
      );
    });
  }

  /** The lowest pair of addresses that neither we nor another program on this host uses. */
  #freeUplink(): number {
    const { store, host, instance } = this.#deps;
    const own = new Set(host.host.links().filter((link) => link.name.startsWith(uplinkPrefix(instance))).map((link) => link.index)); // prettier-ignore
    const foreign = new Set(host.host.routes().filter((route) => !own.has(route.linkIndex)).map((route) => route.destination)); // prettier-ignore
    const used = new Set(store.all().map((row) => row.uplinkIndex));
    for (let index = 0; index < UPLINKS; index += 1) {
      const first = `169.254.${64 + (index >> 7)}.${(index * 2) & 0xff}`;
      if (!used.has(index) && !foreign.has(first)) return index;
    }
    throw new FlotillaError("exhausted", `this host takes part in ${UPLINKS} overlay networks already`);
  }

  #guard(failures: Map<string, string>, id: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      failures.set(id, toFlotillaError(error).message);
    }
  }

  async #guardAsync(failures: Map<string, string>, id: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      failures.set(id, toFlotillaError(error).message);
    }
  }
}
