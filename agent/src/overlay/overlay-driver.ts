import { FlotillaError, KeyedLock, type Logger, toFlotillaError } from "@flotilla/core";
import type { NetworkService, NetworkState } from "@flotilla/protocol";
import { ElementTable } from "../host/element-table.ts";
import type { NetworkKernel } from "../host/network-kernel.ts";
import type { OverlayKernel } from "../host/overlay-kernel.ts";
import type { EndpointRow } from "../network/network-store.ts";
import { ensureEndpointLink, type EndpointStacks } from "./endpoint-link.ts";
import { leaveOut, refuseDown, type Services, type Unreachable } from "./leave-out.ts";
import { containerLink, routerPath, routersDirectory, uplinkName } from "./names.ts";
import type { OverlayRow, OverlayStore } from "./overlay-store.ts";
import { embed } from "./prefixes.ts";
import { largestMtu, planEndpoint, planMtu, selfOf, type LocalEndpoint, type Uplink } from "./router-plan.ts";
import { Router, type RouterDoor, type RouterWish } from "./router.ts";
import { formatUnderlay, planUnderlay, planUnderlayNetwork, underlayTableName } from "./underlay-table.ts";
import { UnderlayLinks } from "./underlay-link.ts";
import type { Tunnels } from "./tunnels.ts";
import type { RouterPort } from "./virtual-servers.ts";

export type OverlayDriverDeps = {
  instance: string;
  runDir: string;
  store: OverlayStore;
  /** This host's own namespace. */
  host: NetworkKernel;
  kernel: OverlayKernel;
  tunnels: Tunnels;
  logger: Logger;
  /** Containers of this host on a network, as the agent's rows say. */
  endpointsIn(networkId: string): EndpointRow[];
  /** Ports that containers of this host publish through a network. */
  portsIn(networkId: string): RouterPort[];
  /** Hosts that this one does not reach now. */
  unreachable(): Unreachable;
  /** Endpoints or MTU of a network may be others than before. */
  onChange(networkId: string): void;
};

/** A look takes most of a millisecond, of the process that everything else waits for. */
const WATCHED_AT_ONCE = 50;

/** Where an endpoint goes in its container. */
export type EndpointPlace = { netnsPath: string; position: number; isDefaultRoute: boolean };

/**
 * Overlay networks of this host: one router each, while a container is on it or a port is published on every host. What
 * they are to be follows from the store and the rows of endpoints, so any method may be repeated.
 */
export class OverlayDriver {
  readonly #deps: OverlayDriverDeps;
  readonly #lock = new KeyedLock();
  readonly #routers = new Map<string, Router>();
  /** Who may send VXLAN packets to this host. */
  readonly #underlay: ElementTable;
  readonly #links: UnderlayLinks;
  /** Whether it was told that a shortcut failed: what the kernel lacks, it lacks for all of them. */
  #isSlow = false;
  /** How many routers were looked at in this round. */
  #watched = 0;

  constructor(deps: OverlayDriverDeps) {
    this.#deps = deps;
    this.#links = new UnderlayLinks(deps.host.host);
    const { instance } = deps;
    this.#underlay = new ElementTable({
      nft: (text) => deps.host.nft(text),
      plan: () => planUnderlay(instance, this.#open().map((row) => row.state)), // prettier-ignore
      format: (plan) => formatUnderlay(instance, plan),
      tables: [underlayTableName(instance)],
    });
  }

  /** What this host was told of a network. @throws FlotillaError `not_found`. */
  row(networkId: string): OverlayRow {
    const row = this.#deps.store.find(networkId);
    if (row === undefined) throw new FlotillaError("not_found", `network ${networkId} not found`);
    return row;
  }

  knows(networkId: string): boolean {
    return this.#deps.store.find(networkId) !== undefined;
  }

  /** The host's way into a network; undefined for an internal one. */
  uplink(networkId: string): Uplink | undefined {
    const { state, uplinkIndex } = this.row(networkId);
    if (state.isInternal) return undefined;
    const at = (offset: number): string => {
      const number = uplinkIndex * 2 + offset;
      return `169.254.${64 + (number >> 8)}.${number & 0xff}`;
    };
    return { hostLink: uplinkName(this.#deps.instance, state.vni), hostAddress: at(0), routerAddress: at(1) };
  }

  isOpen(networkId: string): boolean {
    return this.#routers.has(networkId);
  }

  /** Whether its router is as the last `ensure` left it, as far as a look at device and table tells. */
  isIntact(networkId: string): boolean {
    const router = this.#routers.get(networkId);
    return router !== undefined && router.isSettled && router.isIntact();
  }

  /** Addresses of a network that are pinned to this host. */
  pinsOf(networkId: string): string[] {
    const { self, pins } = this.row(networkId).state;
    return pins.flatMap(({ host, address }) => (host === self ? [address] : []));
  }

  /** Whether this host takes part in a network's traffic. */
  isWanted(networkId: string): boolean {
    return this.#deps.endpointsIn(networkId).length > 0 || this.isPublishing(networkId);
  }

  /** Whether a port of it is published on every host. */
  isPublishing(networkId: string): boolean {
    return this.#published(networkId).length > 0;
  }

  /**
   * The router is there and as it should be. @returns whether it was not known before: its uplink is new to the host's table.
   * @throws FlotillaError `conflict` for a foreign VNI, `invalid` for what the host cannot do.
   */
  async ensure(networkId: string): Promise<boolean> {
    return await this.#lock.run(networkId, async () => {
      const isNew = !this.#routers.has(networkId);
      const wish = this.#wish(networkId);
      if (wish.state.isEncrypted) {
        // Before any packet: an encrypted network's must find the door shut that leads out in the clear.
        this.#router(networkId);
        await this.#letIn(wish.state);
        await this.#ensureTunnels(false);
      }
      await this.#router(networkId).apply(wish, true);
      await this.#letIn(wish.state);
      this.#deps.onChange(networkId);
      return isNew;
    });
  }

  /** Containers that came or went, in the router's table; the router is there. */
  async refresh(networkId: string): Promise<void> {
    await this.#lock.run(networkId, async () => {
      await this.#router(networkId).refresh(this.#wish(networkId));
      this.#deps.onChange(networkId);
    });
  }

  /** Services that came, went or changed, in the router's table; the router is there. */
  async update(networkId: string, touched: ReadonlySet<string>): Promise<void> {
    await this.#lock.run(networkId, () => this.#router(networkId).refresh(this.#wish(networkId), touched));
  }

  /** Who is reached has changed: what every router balances over. What goes wrong with one is put right by its next change. */
  async refreshAll(): Promise<void> {
    for (const networkId of this.#routers.keys()) {
      await this.refresh(networkId).catch((error: unknown) => {
        this.#deps.logger.error("an overlay network does not follow who is reached", { networkId, error: toFlotillaError(error).message });
      });
    }
  }

  /** A container's link, addresses and routes; its entries in the table come with the next `refresh`. The router is there. */
  ensureEndpoint(endpoint: EndpointRow, place: EndpointPlace, inside: Pick<EndpointStacks, "container" | "isFresh">): void {
    const networkId = endpoint.network_id;
    const { state } = this.row(networkId);
    const router = this.#router(networkId);
    const end = { ...place, endpoint: toLocal(endpoint, state), mtuBytes: this.mtuBytes(state) };
    router.use((stack) => {
      if (!ensureEndpointLink(state, end, { router: stack, ...inside })) return;
      router.forgetLink(end.endpoint.link);
      stack.applyObjects(planEndpoint(end.endpoint).map((object) => ({ verb: "replace", object })));
    });
  }

  /** Both ends of a container's link; the rest with the next `refresh`, when its row is gone. */
  removeEndpoint(endpoint: EndpointRow): void {
    const name = containerLink(endpoint.number);
    this.#router(endpoint.network_id).use((stack) => stack.applyLinks([{ kind: "delete-link", name }]));
  }

  /** Takes a network out of the kernel. Idempotent. */
  async remove(networkId: string): Promise<void> {
    await this.#lock.run(networkId, async () => {
      this.#router(networkId).remove();
      this.#routers.delete(networkId);
      await (this.#routers.size === 0 ? this.#underlay.replace() : this.#underlay.put(new Map([[networkId, []]])));
      if (this.row(networkId).state.isEncrypted) await this.#ensureTunnels(false);
    });
  }

  /** After a start: routers of networks that this host takes part in, and no others. @returns problems by network id. */
  async reconcile(): Promise<Map<string, string>> {
    const { store, kernel, runDir, logger } = this.#deps;
    const wanted = store.all().filter((row) => this.isWanted(row.networkId));
    const vnis = new Set(wanted.map((row) => String(row.state.vni)));
    for (const name of kernel.listRouters(routersDirectory(runDir))) {
      if (!vnis.has(name)) this.#makeRouter(routerPath(runDir, Number(name))).remove();
    }
    const problems = new Map<string, string>();
    for (const { networkId } of wanted) {
      await this.ensure(networkId).catch((error: unknown) => {
        problems.set(networkId, toFlotillaError(error).message);
        logger.error("an overlay network does not work on this host", { networkId, error: toFlotillaError(error).message });
      });
    }
    await this.#underlay.replace();
    await this.#ensureTunnels(true).catch((error: unknown) =>
      logger.error("tunnels of encrypted networks are not as they should be", { error }),
    );
    return problems;
  }

  /** Repairs what another program took away: of so many networks at a time that it costs the same however many there are. */
  async watch(): Promise<void> {
    const routers = [...this.#routers];
    const turn = routers.slice(this.#watched, this.#watched + WATCHED_AT_ONCE);
    this.#watched = this.#watched + turn.length >= routers.length ? 0 : this.#watched + turn.length;
    for (const [networkId, router] of turn) {
      if (this.#routers.get(networkId) !== router || router.isIntact()) continue;
      this.#deps.logger.warn("an overlay network was changed by another program, putting it right", { networkId });
      router.distrust();
      await this.#restore(networkId);
    }
    if (this.#routers.size > 0 && !this.#deps.host.hasTable(underlayTableName(this.#deps.instance))) await this.#underlay.replace();
    await this.#watchTunnels();
    // Whether a container that does not run asks for an address is said by no change of a network.
    for (const { networkId } of this.#deps.store.all()) if (this.pinsOf(networkId).length > 0) this.#deps.onChange(networkId);
  }

  /** Keys that have had their time, and devices that are gone with their process. */
  async #watchTunnels(): Promise<void> {
    const { tunnels, logger } = this.#deps;
    const encrypted = this.#open().filter((row) => row.state.isEncrypted);
    const isRotated = tunnels.rotate();
    if (encrypted.length === 0 || (!isRotated && (await tunnels.isIntact()))) return;
    if (!isRotated) logger.warn("a tunnel of encrypted networks is gone, making it anew");
    try {
      await this.#ensureTunnels(true);
    } catch (error) {
      logger.error("tunnels of encrypted networks could not be put right", { error: toFlotillaError(error).message });
    }
    for (const { networkId } of encrypted) await this.#restore(networkId);
  }

  async #ensureTunnels(isCertain: boolean): Promise<void> {
    const states = this.#open().map((row) => row.state);
    await this.#deps.tunnels.ensure(states, (state) => this.#links.find(state).mtuBytes, isCertain);
  }

  #open(): OverlayRow[] {
    return this.#deps.store.all().filter((row) => this.isOpen(row.networkId));
  }

  /** Takes away what nobody uses; networks in use stay in the kernel. */
  async close(): Promise<void> {
    for (const { networkId } of this.#deps.store.all())
      if (this.isOpen(networkId) && !this.isWanted(networkId)) await this.remove(networkId);
    if (this.#deps.store.all().some((row) => row.state.isEncrypted)) await this.#ensureTunnels(true);
    for (const router of this.#routers.values()) router.retire();
    this.#routers.clear();
  }

  async #restore(networkId: string): Promise<void> {
    try {
      await this.ensure(networkId);
    } catch (error) {
      this.#deps.logger.error("an overlay network could not be put right", { networkId, error: toFlotillaError(error).message });
    }
  }

  #router(networkId: string): Router {
    const present = this.#routers.get(networkId);
    if (present !== undefined) return present;
    const router = this.#makeRouter(routerPath(this.#deps.runDir, this.row(networkId).state.vni));
    this.#routers.set(networkId, router);
    return router;
  }

  #makeRouter(path: string): Router {
    const { host, kernel } = this.#deps;
    const door: RouterDoor = {
      kernel,
      applyOnHost: (operations) => host.host.apply(operations),
      hasHostLink: (name) => host.host.findLink(name) !== undefined,
      setHostSysctl: (name, value) => host.setSysctl(name, value),
      onSlow: (reason) => {
        if (!this.#isSlow) this.#deps.logger.warn("packets of overlay networks take no shortcut past the network stack", { error: reason });
        this.#isSlow = true;
      },
    };
    return new Router(door, path);
  }

  #published(networkId: string): NetworkService[] {
    return this.row(networkId).state.isInternal ? [] : [...this.#deps.store.published(networkId).values()];
  }

  /** What the network balances over from here: without backends on hosts that are out of reach. */
  services(networkId: string): Services {
    return leaveOut(this.row(networkId).state, this.#deps.store.services(networkId), this.#deps.unreachable());
  }

  #wish(networkId: string): RouterWish {
    const state = refuseDown(this.row(networkId).state, this.#deps.unreachable());
    const services = this.services(networkId);
    return {
      state,
      services,
      // Of what is balanced over from here: a port leads to hosts that are reached, as an address does.
      published: this.#published(networkId).flatMap(({ id }) => services.get(id) ?? []),
      endpoints: this.#deps.endpointsIn(networkId).map((endpoint) => toLocal(endpoint, state)),
      localAddress: state.isEncrypted ? this.#deps.tunnels.address(state) : selfOf(state).underlay,
      uplink: this.uplink(networkId),
      mtuBytes: this.mtuBytes(state),
      ports: this.#deps.portsIn(networkId),
      isGathered: this.#links.isGathered(state),
    };
  }

  /** @throws FlotillaError `invalid` when the underlay is not there or too narrow. */
  mtuBytes(state: NetworkState): number {
    if (state.isEncrypted) this.#deps.tunnels.address(state);
    const link = this.#links.find(state);
    const mtuBytes = planMtu(state, link.mtuBytes);
    if (mtuBytes > largestMtu(state, link.mtuBytes)) {
      throw new FlotillaError(
        "invalid",
        `network ${state.name}: MTU ${mtuBytes} needs packets of ${mtuBytes + link.mtuBytes - largestMtu(state, link.mtuBytes)} bytes, ${link.name} carries ${link.mtuBytes}`,
      );
    }
    return mtuBytes;
  }

  #letIn(state: NetworkState): Promise<void> {
    return this.#underlay.put(planUnderlayNetwork(this.#deps.instance, state));
  }
}

function toLocal(endpoint: EndpointRow, state: NetworkState): LocalEndpoint {
  return {
    link: containerLink(endpoint.number),
    address: endpoint.address,
    address6: state.subnet6 === null ? "" : embed(state.subnet6, endpoint.address),
    mac: endpoint.mac,
  };
}
