import { existsSync, readFileSync } from "node:fs";
import type { Logger } from "@flotilla/core";
import type { AgentConfig } from "../config.ts";
import type { NetworkManager } from "../engine/ports.ts";
import type { EventBus } from "../events/bus.ts";
import { openNetworkKernel, type NetworkKernel } from "../host/network-kernel.ts";
import type { Database } from "../store/database.ts";
import { Attachments } from "./attachments.ts";
import { BridgeDriver, toBridgePlan } from "./bridge-driver.ts";
import { EndpointDriver } from "./endpoint-driver.ts";
import { Firewall } from "./firewall.ts";
import { NetworkCatalog } from "./network-catalog.ts";
import { NetworkStore } from "./network-store.ts";
import { tableName } from "./plan.ts";
import { PortAllocator } from "./port-allocator.ts";
import { Reconciler } from "./reconciler.ts";
import { adaptResolvConf, isStubOnly, parseResolvConf, type ResolvConf } from "./resolv-conf.ts";

export type NetworkManagerDeps = {
  config: AgentConfig;
  db: Database;
  events: EventBus;
  logger: Logger;
  /** The machine's, unless a test gives its own. */
  kernel?: NetworkKernel;
};

/** How often a table that someone flushed (a firewall's reload) is put back. */
const WATCH_INTERVAL_MS = 5_000;
/** A namespace that nobody holds is gone well before. */
const SWEEP_DELAY_MS = 2_000;

/** Bridge networks on this machine. Call `reconcile` before anything else and `close` at the end. */
export function createNetworkManager(deps: NetworkManagerDeps): NetworkManager {
  const { config, events, logger } = deps;
  const kernel = deps.kernel ?? openNetworkKernel();
  const store = new NetworkStore(deps.db);
  const { instance, runDir } = config;
  const firewall = new Firewall(kernel, {
    table: tableName(instance),
    desired: () => ({
      bridges: store
        .networks()
        .filter((network) => bridges.isReady(network.id) || store.endpointsIn(network.id).length > 0)
        .map((network) => toBridgePlan(instance, network)),
      ports: store.attachments().flatMap((attachment) => attachments.publishedPorts(attachment.container_id)),
    }),
  });
  const bridges = new BridgeDriver(kernel, { instance, store, firewall, logger });
  const endpoints = new EndpointDriver(kernel, { instance, runDir, store });
  const catalog = new NetworkCatalog(store, { bridges, instance });
  const ports = new PortAllocator(kernel, store);
  const attachments = new Attachments({ store, catalog, bridges, endpoints, firewall, ports, events, logger });
  const reconciler = new Reconciler({ kernel, instance, store, bridges, endpoints, firewall, attachments, logger });
  const upkeep = startUpkeep(reconciler, logger);
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
    reconcile: (running) => reconciler.reconcile(running),
    hostResolvConf: readHostResolvConf,
    close: async () => {
      upkeep.stop();
      await reconciler.removeIdle();
      ports.close();
      kernel.close();
    },
  };
}

function startUpkeep(reconciler: Reconciler, logger: Logger): { sweepSoon(): void; stop(): void } {
  const guard = (task: Promise<void>): void => void task.catch((error: unknown) => logger.error("network upkeep went wrong", { error }));
  const watch = setInterval(() => guard(reconciler.reassertFirewall()), WATCH_INTERVAL_MS).unref();
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
