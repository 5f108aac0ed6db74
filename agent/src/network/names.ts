import type { NamedContainer, NamedNetwork } from "../dns/plan-resolver-state.ts";
import { planResolverState } from "../dns/plan-resolver-state.ts";
import { formatFirstRedirect, formatRedirect } from "../dns/redirect-table.ts";
import type { NameService } from "../dns/resolver-process.ts";
import type { NetworkKernel } from "../host/network-kernel.ts";
import { leaveOut } from "../overlay/leave-out.ts";
import type { OverlayStore } from "../overlay/overlay-store.ts";
import type { NetworkRow, NetworkStore } from "./network-store.ts";

export type NamesOptions = {
  kernel: NetworkKernel;
  store: NetworkStore;
  overlayStore: OverlayStore;
  resolver: NameService;
  netnsPath: (containerId: string) => string;
  /** Hosts that this one does not reach now. */
  unreachable: () => ReadonlySet<number>;
};

/** Whether containers of a network find each other by name: `bridge` has no names, as in Docker. */
export const hasNames = (network: Pick<NetworkRow, "driver" | "name">): boolean =>
  network.driver === "overlay" || network.name !== "bridge";

/** Keeps the resolver in step with the rows, and sends what containers ask 127.0.0.11 to it. */
export class Names {
  readonly #options: NamesOptions;
  /** Containers whose namespace has the table that rewrites packets. */
  readonly #redirected = new Set<string>();

  constructor(options: NamesOptions) {
    this.#options = options;
  }

  /** After every change of who is where. Settles when names resolve so. */
  async refresh(): Promise<void> {
    const { resolver, kernel, netnsPath } = this.#options;
    const wish = planResolverState({ networks: this.#networks(), containers: this.#containers() });
    const wanted = new Set(wish.containers.map(({ id }) => id));
    for (const id of this.#redirected) if (!wanted.has(id)) this.#redirected.delete(id);
    // A container whose rows are there before its namespace comes along with the next refresh, which is its own.
    const containers = wish.containers.filter(({ id }) => this.#redirected.has(id) || kernel.hasNetns(netnsPath(id)));
    for (const { id } of containers) {
      if (this.#redirected.has(id)) continue;
      this.#redirected.add(id);
      await this.#redirect(netnsPath(id));
    }
    await resolver.apply({ ...wish, containers });
  }

  async #redirect(path: string): Promise<void> {
    const { kernel } = this.#options;
    // Whatever is wrong with the first is wrong with the second too, unless it is that an agent before was here already.
    await kernel.nftInside(path, formatFirstRedirect()).catch(() => kernel.nftInside(path, formatRedirect()));
  }

  #networks(): NamedNetwork[] {
    const { store, overlayStore } = this.#options;
    const unreachable = this.#options.unreachable();
    return store.networks().map((network) => {
      const state = network.driver === "overlay" ? overlayStore.find(network.id)?.state : undefined;
      return {
        id: network.id,
        name: network.name,
        hasNames: hasNames(network),
        isInternal: network.is_internal,
        members: (state?.members ?? []).map((member) => ({ ...member, isReached: !unreachable.has(member.host) })),
        services: state === undefined ? [] : [...leaveOut(state, overlayStore.services(network.id), unreachable).values()],
      };
    });
  }

  #containers(): NamedContainer[] {
    const { store, netnsPath } = this.#options;
    const endpoints = Map.groupBy(store.endpoints(), (endpoint) => endpoint.container_id);
    return store.attachments().map((attachment) => ({
      id: attachment.container_id,
      name: attachment.container_name,
      hostname: attachment.hostname,
      netnsPath: netnsPath(attachment.container_id),
      servers: attachment.dns_servers,
      endpoints: (endpoints.get(attachment.container_id) ?? [])
        .toSorted((a, b) => a.position - b.position)
        .map((endpoint) => ({
          networkId: endpoint.network_id,
          addresses: [endpoint.address, ...(endpoint.address6 === "" ? [] : [endpoint.address6])],
          aliases: endpoint.aliases,
          links: endpoint.links,
        })),
    }));
  }
}
