import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FlotillaError, type Logger } from "@flotilla/core";
import type { ObservedNetwork } from "@flotilla/protocol";
import type { AgentConfig } from "../config.ts";
import { type NameService, ResolverProcess } from "../dns/resolver-process.ts";
import type { Endpoint, EndpointRequest, NetworkManager } from "../engine/ports.ts";
import type { EventBus } from "../events/bus.ts";
import { openNetworkKernel, type NetworkKernel } from "../host/network-kernel.ts";
import { openOverlayKernel, type OverlayKernel } from "../host/overlay-kernel.ts";
import { OverlayDriver } from "../overlay/overlay-driver.ts";
import type { ServiceBodies } from "../overlay/network-services.ts";
import { OverlayNetworks } from "../overlay/overlay-networks.ts";
import { openWireguard, type Wireguard } from "../host/wireguard.ts";
import { Tunnels } from "../overlay/tunnels.ts";
import type { EncryptionFacts } from "../overlay/underlay-facts.ts";
import { OverlayStore } from "../overlay/overlay-store.ts";
import type { Database } from "../store/database.ts";
import { Attachments, type AttachmentsDeps } from "./attachments.ts";
import { BridgeDriver, toBridgePlan } from "./bridge-driver.ts";
import { EndpointDriver } from "./endpoint-driver.ts";
import { Firewall } from "./firewall.ts";
import { NetworkCatalog, type KnownNetwork } from "./network-catalog.ts";
import { NetworkStore } from "./network-store.ts";
import { viewNetwork, type NetworkView } from "./network-view.ts";
import { Names } from "./names.ts";
import { tableName, type BridgePlan } from "./plan.ts";
import { describeOverlay, planUplinks, type RequestedAddresses, toPublishedIngress } from "./uplinks.ts";
import { readReachNetworks } from "./reach-networks.ts";
import type { ReachNetwork } from "../reach/reach-plan.ts";
import { PortAllocator } from "./port-allocator.ts";
import { Reconciler } from "./reconciler.ts";
import { adaptResolvConf, isStubOnly, parseResolvConf, type ResolvConf } from "./resolv-conf.ts";
import { UserNetworks, type NetworkCreateRequest } from "./user-networks.ts";

export type NetworkManagerDeps = {
  config: AgentConfig;
  db: Database;
  events: EventBus;
  logger: Logger;
  /** The machine's, unless a test gives its own. */
  kernel?: NetworkKernel;
  overlayKernel?: OverlayKernel;
  wireguard?: Wireguard;
  resolvConf?: () => ResolvConf;
  /** A process of its own, unless a test gives another. */
  resolver?: NameService;
  /** Who gives addresses of overlay networks; without it there is nobody to ask. */
  addresses?: AttachmentsDeps["addresses"];
  /** Without it the control plane is not told which pinned addresses are needed, and takes none back. */
  requested?: RequestedAddresses;
  /** Ends all that it does by itself, at once and with nothing tidied up, as the end of the process does. */
  killed?: AbortSignal;
};

/** The port of the engine, and what the API's network routes and the engine's connector need besides. */
export type Networks = NetworkManager & {
  /** Predefined ones first. */
  list(namespace: string): NetworkView[];
  /** @throws not_found `network x not found`. */
  inspect(namespace: string, nameOrId: string): NetworkView;
  /** @returns its id. */
  createNetwork(namespace: string, request: NetworkCreateRequest): string;
  removeNetwork(namespace: string, nameOrId: string): Promise<void>;
  /** One more network for a running container. */
  connect(containerId: string, request: EndpointRequest): Promise<Endpoint>;
  disconnect(containerId: string, networkId: string): Promise<void>;
  /**
   * Desired state of overlay networks, all of them, by network id. @returns what went wrong, by network id. Level-triggered:
   * repeating it is harmless, and what failed is tried again.
   */
  /** How this host can encrypt. */
  encryption(): EncryptionFacts;
  overlayServices(): Iterable<string>;
  applyOverlays(bodies: ReadonlyMap<string, unknown>, services: ServiceBodies): Promise<Map<string, string>>;
  /** What this host has of an overlay network; undefined when it knows none of that id. */
  describeOverlay(networkId: string): ObservedNetwork | undefined;
  /** Calls `listener` with a network's id whenever that may be another than before. Returns a function that stops it. */
  onOverlayChanged(listener: (networkId: string) => void): () => void;
  /** The networks of a container as somebody sees them who looks from inside. */
  reachNetworks(containerId: string): ReachNetwork[];
  /** The hosts that this one does not reach now: their backends and names are left out until they are back. */
  leaveOut(unreachable: ReadonlySet<number>): Promise<void>;
  /** A container has a new name; nothing when it is on no network. */
  renameContainer(containerId: string, name: string): void;
};

/** How often a table that someone flushed (a firewall's reload) is put back. */
const WATCH_INTERVAL_MS = 3_000;
/** A namespace that nobody holds is gone well before. */
const SWEEP_DELAY_MS = 2_000;

/** Bridge networks on this machine. Call `reconcile` before anything else and `close` at the end. */
export function createNetworkManager(deps: NetworkManagerDeps): Networks {
  const { config, events, logger, resolvConf = readHostResolvConf } = deps;
  const kernel = deps.kernel ?? openNetworkKernel();
  const { instance } = config;
  const parts = createParts(deps, kernel, resolvConf);
  const { store, catalog, attachments, names, resolver, reconciler, overlays, overlay, ports, bridges, firewall, tunnels } = parts;
  const upkeep = startUpkeep(parts, logger);
  deps.killed?.addEventListener("abort", () => upkeep.stop(), { once: true });
  const users = new UserNetworks({ store, catalog, bridges, firewall, events });
  const view = (network: KnownNetwork): NetworkView => viewNetwork(store, network, instance);
  return {
    resolve: (namespace, nameOrId) => {
      const { id, name, driver } = catalog.get(namespace, nameOrId);
      return { id, name, driver };
    },
    attach: (request) => attachments.attach(request),
    detach: async (containerId) => {
      await attachments.detach(containerId);
      upkeep.sweepSoon();
    },
    connect: (containerId, request) => attachments.connect(containerId, request),
    disconnect: (containerId, networkId) => attachments.disconnect(containerId, networkId),
    overlayServices: () => overlays.services(),
    applyOverlays: async (bodies, services) => {
      const { failures, changes } = await overlays.apply(bodies, services);
      await names.refreshOverlays(changes);
      return failures;
    },
    describeOverlay: (networkId) => (overlay.knows(networkId) ? describeOverlay({ ...deps, ...parts }, networkId) : undefined),
    encryption: () => ({ encryption: tunnels.encryption, encryptionLack: tunnels.encryptionLack, tunnels: tunnels.published }),
    onOverlayChanged: (listener) => addListener(parts.overlayListeners, listener),
    reachNetworks: (containerId) => readReachNetworks({ store, overlay, runDir: config.runDir }, containerId),
    leaveOut: async (unreachable) => {
      parts.reach.unreachable = unreachable;
      await overlay.refreshAll();
      await names.refresh();
    },
    renameContainer: (containerId, name) => attachments.rename(containerId, name),
    list: (namespace) => catalog.list(namespace).map(view),
    inspect: (namespace, nameOrId) => view(catalog.get(namespace, nameOrId)),
    createNetwork: (namespace, request) => users.create(namespace, request),
    removeNetwork: (namespace, nameOrId) => users.remove(namespace, nameOrId),
    reconcile: async (running) => {
      await tunnels.open();
      await reconciler.reconcile(running);
      await names.refresh();
    },
    hostResolvConf: resolvConf,
    close: async () => {
      upkeep.stop();
      await resolver.close();
      await reconciler.removeIdle();
      await overlay.close();
      overlays.close();
      ports.close();
      kernel.close();
    },
  };
}

function addListener<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

type Parts = {
  store: NetworkStore;
  overlayStore: OverlayStore;
  catalog: NetworkCatalog;
  bridges: BridgeDriver;
  firewall: Firewall;
  ports: PortAllocator;
  names: Names;
  resolver: NameService;
  attachments: Attachments;
  reconciler: Reconciler;
  overlay: OverlayDriver;
  overlays: OverlayNetworks;
  overlayListeners: Set<(networkId: string) => void>;
  /** Until the hosts have been probed all count as reached. */
  reach: { unreachable: ReadonlySet<number> };
  tunnels: Tunnels;
};

function createParts(deps: NetworkManagerDeps, kernel: NetworkKernel, resolvConf: () => ResolvConf): Parts {
  const { config, events, logger, db } = deps;
  const { instance, runDir } = config;
  const store = new NetworkStore(db);
  const overlayStore = new OverlayStore(db);
  const overlayListeners = new Set<(networkId: string) => void>();
  const reach: Parts["reach"] = { unreachable: new Set() };
  const unreachable = (): ReadonlySet<number> => reach.unreachable;
  const firewall = new Firewall(kernel, {
    table: tableName(instance),
    desired: () => ({
      bridges: [...planBridges({ instance, store, bridges }), ...planUplinks(store, overlay)],
      ports: [
        ...store.publishers().flatMap((containerId) => attachments.publishedPorts(containerId)),
        ...overlays.ingressPorts().map(toPublishedIngress),
      ],
    }),
  });
  const bridges = new BridgeDriver(kernel, { instance, store, firewall, logger, reservedAddresses: () => resolvConf().nameservers });
  const tunnels = makeTunnels(deps);
  const overlay = new OverlayDriver({
    tunnels,
    instance,
    runDir,
    store: overlayStore,
    host: kernel,
    kernel: deps.overlayKernel ?? openOverlayKernel(),
    logger,
    endpointsIn: (networkId) => store.endpointsIn(networkId),
    portsIn: (networkId) => attachments.routerPorts(networkId),
    unreachable,
    onChange: (networkId) => overlayListeners.forEach((listener) => listener(networkId)),
  });
  const syncFirewall = (): Promise<void> => firewall.sync();
  const overlays = new OverlayNetworks({ networks: store, store: overlayStore, driver: overlay, host: kernel, instance, syncFirewall });
  const endpoints = new EndpointDriver(kernel, { instance, runDir, store, overlay });
  const catalog = new NetworkCatalog(store, { bridges, instance });
  const ports = new PortAllocator(kernel, store);
  const resolver = makeResolver(deps);
  const netnsPath = (containerId: string): string => endpoints.netnsPath(containerId);
  const names = new Names({ kernel, store, overlayStore, resolver, netnsPath, unreachable });
  const shared = { store, catalog, bridges, firewall, ports, names, overlay };
  const attachments = new Attachments({ ...shared, overlayStore, endpoints, events, logger, addresses: deps.addresses ?? NOBODY });
  const reconciler = new Reconciler({ kernel, instance, store, bridges, endpoints, firewall, attachments, overlays, logger });
  return { ...shared, overlayStore, resolver, attachments, reconciler, overlays, overlayListeners, reach, tunnels };
}

/** What is then said of an address, or of the lack of one, is said without anybody's help. */
const NOBODY: AttachmentsDeps["addresses"] = {
  pin: () => Promise.resolve(),
  grow: () => Promise.reject(new FlotillaError("unavailable", "there is nobody to ask for addresses")),
};

/** Bridges that are there or are about to be. */
function planBridges({ instance, store, bridges }: { instance: string; store: NetworkStore; bridges: BridgeDriver }): BridgePlan[] {
  const inUse = store.networksInUse();
  return store
    .networks()
    .filter((network) => network.driver === "bridge" && (bridges.isReady(network.id) || inUse.has(network.id)))
    .map((network) => toBridgePlan(instance, network));
}

function makeTunnels({ config, db, wireguard }: NetworkManagerDeps): Tunnels {
  const door = wireguard ?? openWireguard({ directory: join(config.runDir, "tunnels") });
  return new Tunnels({ db, wireguard: door, instance: config.instance, nowMs: Date.now });
}

function makeResolver({ config, logger, resolver }: NetworkManagerDeps): NameService {
  return resolver ?? new ResolverProcess({ runDir: config.runDir, cacheDir: config.compileCacheDir, logger });
}

function startUpkeep({ reconciler, overlay }: Parts, logger: Logger): { sweepSoon(): void; stop(): void } {
  const guard = (task: Promise<void>): void => void task.catch((error: unknown) => logger.error("network upkeep went wrong", { error }));
  const look = (): void => {
    guard(reconciler.reassertFirewall());
    guard(overlay.watch());
  };
  const watch = setInterval(look, WATCH_INTERVAL_MS).unref();
  let sweep: NodeJS.Timeout | undefined;
  return {
    sweepSoon: () => {
      sweep ??= setTimeout(() => {
        sweep = undefined;
        guard(Promise.resolve().then(() => reconciler.sweepLinks()));
      }, SWEEP_DELAY_MS).unref();
    },
    stop: () => {
      clearInterval(watch);
      clearTimeout(sweep);
    },
  };
}

const RESOLV_CONF = "/etc/resolv.conf";
const RESOLVED_CONF = "/run/systemd/resolve/resolv.conf";

/** Read anew each time: the host's resolvers change with its networks. */
function readHostResolvConf(): ResolvConf {
  const read = (path: string): ResolvConf => parseResolvConf(existsSync(path) ? readFileSync(path, "utf8") : "");
  const own = read(RESOLV_CONF);
  return adaptResolvConf(isStubOnly(own) && existsSync(RESOLVED_CONF) ? read(RESOLVED_CONF) : own);
}
