import type { NetworkKernel } from "../host/network-kernel.ts";
import { ElementTable } from "../host/element-table.ts";
import { formatTables, planBridgeElements, planPortElement, planTables, portOwner, type PublishedPort, tableNames } from "./nft-table.ts";
import type { BridgePlan } from "./plan.ts";

export type FirewallState = { bridges: BridgePlan[]; ports: PublishedPort[] };

/**
 * Keeps the instance's nftables tables as the store says. A bridge and a port are elements of sets; everything else, and
 * whatever does not fit (the table flushed by someone else), replaces the whole in one transaction.
 */
export class Firewall {
  readonly #kernel: NetworkKernel;
  readonly #table: string;
  readonly #desired: () => FirewallState;
  readonly #elements: ElementTable;

  /** @param options.desired reads the store: called anew for each whole table. */
  constructor(kernel: NetworkKernel, options: { table: string; desired: () => FirewallState }) {
    this.#kernel = kernel;
    this.#table = options.table;
    this.#desired = options.desired;
    this.#elements = new ElementTable({
      nft: (text) => kernel.nft(text),
      plan: () => planTables({ table: options.table, ...options.desired() }),
      format: formatTables,
      tables: tableNames(options.table),
    });
  }

  /** Puts the tables in place whatever is there, or removes them when there is no bridge. */
  assert(): Promise<void> {
    return this.#elements.replace();
  }

  /** The same when nobody else is thought to have changed them: only what differs from the last time. */
  sync(): Promise<void> {
    return this.#elements.sync();
  }

  /** A bridge, or an uplink, that the store names already, as it is to be now. */
  admit(bridge: BridgePlan): Promise<void> {
    return this.#elements.put(new Map([[bridge.linkName, planBridgeElements(this.#table, bridge)]]));
  }

  /** The store must name the ports already. */
  async publish(ports: readonly PublishedPort[]): Promise<void> {
    await this.#elements.put(new Map(ports.map((port) => [portOwner(port), [planPortElement(this.#table, port)]])));
    this.#forgetFlows(ports);
  }

  /** The store must not name the ports any more. */
  async withdraw(ports: readonly PublishedPort[]): Promise<void> {
    await this.#elements.put(new Map(ports.map((port) => [portOwner(port), []])));
    this.#forgetFlows(ports);
  }

  /** Whether there is anything to have a table for. */
  isNeeded(): boolean {
    const loaded = this.#elements.loadedTables();
    return loaded === undefined ? this.#desired().bridges.length > 0 : loaded.size > 0;
  }

  /** Whether the tables are there: cheap enough to ask every few seconds. */
  isPresent(): boolean {
    const wanted = this.#elements.loadedTables();
    if (wanted === undefined) return false;
    return tableNames(this.#table).every((name) => !wanted.has(name) || this.#kernel.hasTable(name));
  }

  /** Else a UDP client that never pauses would go on talking to the container that had the port before, or to nobody. */
  #forgetFlows(ports: readonly PublishedPort[]): void {
    const udp = ports.filter((port) => port.protocol === "udp");
    this.#kernel.forgetUdpFlows(udp.map((port) => ({ address: port.hostAddress, port: port.hostPort })));
  }
}
