import { KeyedLock } from "@flotilla/core";
import type { NetworkKernel } from "../host/network-kernel.ts";
import { formatPorts, formatTableRemoval, formatTables, hasIpv6, type PublishedPort } from "./nft-table.ts";
import type { BridgePlan } from "./plan.ts";

export type FirewallState = { bridges: BridgePlan[]; ports: PublishedPort[] };

/**
 * Keeps the instance's nftables table as the store says. Ports of one container are map elements; everything else, and
 * whatever does not fit (the table flushed by someone else), replaces the whole table in one transaction.
 */
export class Firewall {
  readonly #kernel: NetworkKernel;
  readonly #table: string;
  readonly #desired: () => FirewallState;
  // One transaction at a time: a whole table read from the store before a change must not be applied after it.
  readonly #lock = new KeyedLock();
  /** Whether there may be a table for IPv6: at first an earlier agent's. */
  #mayHaveIpv6 = true;

  /** @param options.desired reads the store: called anew for each whole table. */
  constructor(kernel: NetworkKernel, options: { table: string; desired: () => FirewallState }) {
    this.#kernel = kernel;
    this.#table = options.table;
    this.#desired = options.desired;
  }

  /** Puts the table in place, or removes it when there is no bridge. */
  assert(): Promise<void> {
    return this.#lock.run(this.#table, () => this.#replace());
  }

  /** The store must name the ports already. */
  async publish(ports: readonly PublishedPort[]): Promise<void> {
    await this.#change(formatPorts("add", this.#table, ports));
    this.#forgetFlows(ports);
  }

  /** The store must not name the ports any more. */
  async withdraw(ports: readonly PublishedPort[]): Promise<void> {
    await this.#change(formatPorts("delete", this.#table, ports));
    this.#forgetFlows(ports);
  }

  /** Whether there is anything to have a table for. */
  isNeeded(): boolean {
    return this.#desired().bridges.length > 0;
  }

  /** Whether the table is there: cheap enough to ask every few seconds. */
  async isPresent(): Promise<boolean> {
    try {
      await this.#kernel.nft(`list chain ip ${this.#table} publish\n`);
      if (hasIpv6(this.#desired())) await this.#kernel.nft(`list chain ip6 ${this.#table} publish\n`);
      return true;
    } catch {
      return false;
    }
  }

  /** Else a UDP client that never pauses would go on talking to the container that had the port before, or to nobody. */
  #forgetFlows(ports: readonly PublishedPort[]): void {
    const udp = ports.filter((port) => port.protocol === "udp");
    this.#kernel.forgetUdpFlows(udp.map((port) => ({ address: port.hostAddress, port: port.hostPort })));
  }

  #change(text: string): Promise<void> {
    return text === "" ? Promise.resolve() : this.#lock.run(this.#table, () => this.#changeOrReplace(text));
  }

  async #changeOrReplace(text: string): Promise<void> {
    try {
      await this.#kernel.nft(text);
    } catch {
      // Not as we left it: a firewall was reloaded, or an element is there or gone already. The whole table settles it.
      await this.#replace();
    }
  }

  async #replace(): Promise<void> {
    const { bridges, ports } = this.#desired();
    const plan = { table: this.#table, bridges, ports };
    const isV6 = hasIpv6(plan);
    const rest = this.#mayHaveIpv6 && !isV6 ? formatTableRemoval(this.#table, "ip6") : "";
    await this.#kernel.nft((bridges.length === 0 ? formatTableRemoval(this.#table, "ip") : formatTables(plan)) + rest);
    this.#mayHaveIpv6 = isV6;
  }
}
