import type { NetworkStore } from "./network-store.ts";

/** A line of /etc/hosts. */
export type HostsEntry = { address: string; names: string[] };

/** What a container's hosts file is to say about the containers it shares user-defined networks with. */
export type PeersChange = { containerId: string; entries: HostsEntry[] };

export type PeersListener = (change: PeersChange) => void;

/**
 * Names of containers on user-defined networks. Until there is a DNS server on each network, whoever listens writes them
 * into the hosts files of running containers. `bridge` has none, as in Docker.
 */
export class Peers {
  readonly #store: NetworkStore;
  readonly #listeners = new Set<PeersListener>();

  constructor(store: NetworkStore) {
    this.#store = store;
  }

  /** Whether names resolve at all: without a listener a user-defined network would be one in name only. */
  hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  onChange(listener: PeersListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells about every container on these networks. */
  announce(networkIds: Iterable<string>): void {
    if (!this.hasListeners()) return;
    const named = [...networkIds].filter((id) => this.#store.findNetwork(id)?.name !== "bridge");
    const containerIds = new Set(named.flatMap((id) => this.#store.endpointsIn(id).map((endpoint) => endpoint.container_id)));
    for (const containerId of containerIds) {
      const change = { containerId, entries: this.entriesFor(containerId) };
      for (const listener of this.#listeners) listener(change);
    }
  }

  /** Itself first, then its peers by network. */
  entriesFor(containerId: string): HostsEntry[] {
    const own = this.#store.endpointsOf(containerId).filter((endpoint) => this.#store.findNetwork(endpoint.network_id)?.name !== "bridge");
    const peers = own.flatMap((endpoint) => this.#store.endpointsIn(endpoint.network_id));
    const sorted = [...peers].sort((a, b) => Number(b.container_id === containerId) - Number(a.container_id === containerId));
    return sorted.map((endpoint) => ({ address: endpoint.address, names: this.#namesOf(endpoint.container_id, endpoint.aliases) }));
  }

  #namesOf(containerId: string, aliases: readonly string[]): string[] {
    const attachment = this.#store.findAttachment(containerId);
    const names = [attachment?.container_name ?? "", attachment?.hostname ?? "", ...aliases, containerId.slice(0, 12)];
    return [...new Set(names.filter((name) => name !== ""))];
  }
}
