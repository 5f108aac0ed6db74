import type { Logger } from "@flotilla/core";
import type { NetworkKernel } from "../host/network-kernel.ts";
import type { Attachments } from "./attachments.ts";
import type { BridgeDriver } from "./bridge-driver.ts";
import type { EndpointDriver } from "./endpoint-driver.ts";
import type { Firewall } from "./firewall.ts";
import type { OverlayNetworks } from "../overlay/overlay-networks.ts";
import type { NetworkStore } from "./network-store.ts";
import { bridgeName, bridgePrefix, vethName, vethPrefix } from "./plan.ts";

export type ReconcilerDeps = {
  kernel: NetworkKernel;
  instance: string;
  store: NetworkStore;
  bridges: BridgeDriver;
  endpoints: EndpointDriver;
  firewall: Firewall;
  attachments: Attachments;
  overlays: OverlayNetworks;
  logger: Logger;
};

/** Brings the kernel and the rows together. Touches only links, files and the table that carry this instance's name. */
export class Reconciler {
  readonly #deps: ReconcilerDeps;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  /**
   * After a start: containers that do not run lose their addresses, ports and namespaces; those that do get back
   * whatever is missing; everything else of this instance goes.
   */
  async reconcile(running: readonly string[]): Promise<void> {
    const { store, endpoints, attachments, kernel, firewall, logger } = this.#deps;
    const isRunning = new Set(running);
    for (const attachment of store.attachments()) {
      if (!isRunning.has(attachment.container_id)) store.removeAttachment(attachment.container_id);
    }
    for (const name of kernel.listNetns(endpoints.netnsDirectory())) {
      if (!isRunning.has(name)) endpoints.removeNetns(name);
    }
    this.sweepLinks();
    this.#removeIdleBridges();
    await this.#deps.overlays.reconcile();
    for (const { container_id: containerId } of store.attachments()) {
      // A running container keeps its namespace by its processes; without its name nothing can be put into it.
      if (!kernel.hasNetns(endpoints.netnsPath(containerId))) {
        logger.warn("network namespace of a running container has lost its name", { containerId });
        continue;
      }
      try {
        await attachments.restore(containerId);
      } catch (error) {
        // One container that cannot be mended must not keep the others from it, nor the agent from starting.
        logger.error("network of a running container could not be restored", { containerId, error });
      }
    }
    await firewall.assert();
    await this.#warnOfOtherFirewalls();
  }

  /** Deletes links of endpoints that are no more: normally the kernel has, with their namespace. */
  sweepLinks(): void {
    const { kernel, instance, store } = this.#deps;
    const wanted = new Set(store.endpoints().map((endpoint) => vethName(instance, endpoint.number)));
    for (const link of kernel.host.links()) {
      const isStray = link.name.startsWith(vethPrefix(instance)) && !wanted.has(link.name);
      if (isStray) kernel.host.apply([{ kind: "delete-link", name: link.name }]);
    }
  }

  /** Puts the table back when it is gone. */
  async reassertFirewall(): Promise<void> {
    const { store, bridges, firewall, logger } = this.#deps;
    const isNeeded = firewall.isNeeded() || store.networks().some((network) => bridges.isReady(network.id));
    if (!isNeeded || firewall.isPresent()) return;
    logger.warn("nftables table was removed by another program, putting it back");
    await firewall.assert();
  }

  /** Bridges without endpoints, and the table when no bridge is left. */
  async removeIdle(): Promise<void> {
    this.sweepLinks();
    this.#removeIdleBridges();
    await this.#deps.firewall.sync();
  }

  /** A firewall that drops forwarded packets stays in charge: its owner has to let the bridges (`fl*`) through. */
  async #warnOfOtherFirewalls(): Promise<void> {
    const { kernel, logger, instance } = this.#deps;
    const chains = await kernel.restrictiveForwardChains();
    if (chains.length === 0) return;
    logger.warn("another firewall drops forwarded packets: containers have no network unless it accepts our bridges", {
      chains,
      bridges: `${bridgePrefix(instance)}*`,
    });
  }

  #removeIdleBridges(): void {
    const { kernel, instance, store, bridges } = this.#deps;
    const networks = store.networks().filter((network) => network.driver === "bridge");
    const used = networks.filter((network) => store.endpointsIn(network.id).length > 0);
    for (const network of networks) if (!used.includes(network)) bridges.remove(network);
    const wanted = new Set(used.map((network) => bridgeName(instance, network.number)));
    for (const link of kernel.host.links()) {
      const isStray = link.name.startsWith(bridgePrefix(instance)) && !wanted.has(link.name);
      if (isStray) kernel.host.apply([{ kind: "delete-link", name: link.name }]);
    }
  }
}
