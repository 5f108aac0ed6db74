import { CONTAINERS, type GroupChange } from "../dns/names-state.ts";
import {
  type Keyed,
  type NamedContainer,
  type NamedEndpoint,
  planContainer,
  planLocalNames,
  planMemberNames,
  planNetworkRecord,
  planServiceNames,
  serviceNamesKey,
} from "../dns/plan-resolver-state.ts";
import { formatRedirect, REDIRECT_REQUESTS } from "../dns/redirect-table.ts";
import { containerKey, namesKey, type StateRecord } from "../dns/resolver-state.ts";
import type { NameService } from "../dns/resolver-process.ts";
import type { NetworkKernel } from "../host/network-kernel.ts";
import { leaveOut } from "../overlay/leave-out.ts";
import type { OverlayChanges } from "../overlay/overlay-networks.ts";
import type { OverlayStore } from "../overlay/overlay-store.ts";
import type { AttachmentRow, EndpointRow, NetworkRow, NetworkStore } from "./network-store.ts";

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

/**
 * Keeps the resolver in step with the rows, and sends what containers ask 127.0.0.11 to it. Networks without a container of this
 * host have no names here. Each method may be repeated; `refresh` does all that the others do.
 */
export class Names {
  readonly #options: NamesOptions;
  /** Containers whose namespace has the table that rewrites packets. */
  readonly #redirected = new Set<string>();
  /** Networks whose names the resolver has. */
  readonly #used = new Set<string>();
  /** Networks that the resolver was told a container is on. */
  readonly #told = new Map<string, readonly string[]>();

  constructor(options: NamesOptions) {
    this.#options = options;
  }

  /** Everything anew. Settles when names resolve so. */
  async refresh(): Promise<void> {
    const { store, resolver } = this.#options;
    const attachments = store.attachments();
    const wanted = new Set(attachments.map(({ container_id: id }) => id));
    for (const id of this.#redirected) if (!wanted.has(id)) this.#redirected.delete(id);
    const containers: Keyed[] = [];
    for (const attachment of attachments) containers.push(...(await this.#admit(attachment)));
    this.#told.clear();
    for (const { container_id: id } of attachments) this.#told.set(id, store.endpointsOf(id).map((endpoint) => endpoint.network_id)); // prettier-ignore
    this.#used.clear();
    for (const networkId of store.networksInUse()) if (this.#hasNames(networkId)) this.#used.add(networkId);
    const networks = [...this.#used].map((id): [string, GroupChange] => [id, whole(this.#network(id))]);
    await resolver.apply({ isWhole: true, groups: new Map([[CONTAINERS, whole(containers)], ...networks]) });
  }

  /** After a container came, went or was changed. */
  async refreshContainer(containerId: string): Promise<void> {
    const { store, resolver } = this.#options;
    const attachment = store.findAttachment(containerId);
    if (attachment === undefined) this.#redirected.delete(containerId);
    const own = attachment === undefined ? [] : await this.#admit(attachment);
    const endpoints = attachment === undefined ? [] : store.endpointsOf(containerId);
    const groups = new Map<string, GroupChange>([[CONTAINERS, some([[containerKey(containerId), own[0]?.[1]]])]]);
    const networkIds = endpoints.map((endpoint) => endpoint.network_id);
    const formerly = this.#told.get(containerId) ?? [];
    if (attachment === undefined) this.#told.delete(containerId);
    else this.#told.set(containerId, networkIds);
    for (const networkId of new Set([...formerly, ...networkIds])) {
      if (!this.#hasNames(networkId)) continue;
      const endpoint = endpoints.find((each) => each.network_id === networkId);
      const names = attachment === undefined || endpoint === undefined ? undefined : planLocalNames(toNamed(attachment), toNamedEndpoint(endpoint)); // prettier-ignore
      groups.set(networkId, this.#change(networkId, [[namesKey(networkId, `c ${containerId}`), names?.[1]]]));
    }
    await resolver.apply({ isWhole: false, groups });
  }

  /** After the control plane said something of networks and services. */
  async refreshOverlays({ networks, services }: OverlayChanges): Promise<void> {
    const { overlayStore, resolver, unreachable } = this.#options;
    const groups = new Map<string, GroupChange>();
    for (const networkId of networks) if (this.#used.has(networkId)) groups.set(networkId, whole(this.#network(networkId)));
    for (const [networkId, touched] of services) {
      const state = overlayStore.find(networkId)?.state;
      if (state === undefined || !this.#used.has(networkId) || groups.has(networkId)) continue;
      const all = overlayStore.services(networkId);
      const present = [...touched].flatMap((id) => all.get(id) ?? []).map((service) => [service.id, service] as const);
      const reached = leaveOut(state, new Map(present), unreachable());
      groups.set(networkId, some([...touched].map((id) => {
        const service = reached.get(id);
        return [serviceNamesKey(networkId, id), service === undefined ? undefined : planServiceNames(service)[1]];
      }))); // prettier-ignore
    }
    if (groups.size > 0) await resolver.apply({ isWhole: false, groups });
  }

  /** A network whose first container this is, or whose last one it was, comes or goes as a whole. */
  #change(networkId: string, records: [string, StateRecord | undefined][]): GroupChange {
    if (!this.#options.store.isInUse(networkId)) {
      this.#used.delete(networkId);
      return whole([]);
    }
    if (this.#used.has(networkId)) return some(records);
    this.#used.add(networkId);
    return whole(this.#network(networkId));
  }

  /** A container's record, when it needs one and its namespace is there; its packets then go to the resolver. */
  async #admit(attachment: AttachmentRow): Promise<Keyed[]> {
    const { kernel, store, netnsPath } = this.#options;
    const id = attachment.container_id;
    const container: NamedContainer = {
      ...toNamed(attachment),
      netnsPath: netnsPath(id),
      servers: attachment.dns_servers,
      endpoints: store.endpointsOf(id).map(toNamedEndpoint),
    };
    const record = planContainer(container, {
      hasNames: (networkId) => this.#hasNames(networkId),
      isInternal: (networkId) => store.findNetwork(networkId)?.is_internal === true,
    });
    // A container whose rows are there before its namespace comes along with the next refresh, which is its own.
    if (record === undefined || !(this.#redirected.has(id) || kernel.hasNetns(container.netnsPath))) return [];
    if (!this.#redirected.has(id)) {
      this.#redirected.add(id);
      await this.#redirect(container.netnsPath);
    }
    return [record];
  }

  async #redirect(path: string): Promise<void> {
    const { kernel } = this.#options;
    try {
      kernel.nftRequestsInside(path, REDIRECT_REQUESTS);
    } catch {
      // Whatever is wrong with the first is wrong with the second too, unless it is that an agent before was here already.
      await kernel.nftInside(path, formatRedirect());
    }
  }

  #hasNames(networkId: string): boolean {
    const network = this.#options.store.findNetwork(networkId);
    return network !== undefined && hasNames(network);
  }

  /** All names of a network; none when it is gone. */
  #network(networkId: string): Keyed[] {
    const { store, overlayStore } = this.#options;
    const network = store.findNetwork(networkId);
    if (network === undefined) return [];
    const unreachable = this.#options.unreachable();
    const state = network.driver === "overlay" ? overlayStore.find(networkId)?.state : undefined;
    const services = state === undefined ? [] : leaveOut(state, overlayStore.services(networkId), unreachable).values();
    return [
      planNetworkRecord(network),
      ...store.endpointsIn(networkId).flatMap((endpoint): Keyed[] => {
        const attachment = store.findAttachment(endpoint.container_id);
        return attachment === undefined ? [] : [planLocalNames(toNamed(attachment), toNamedEndpoint(endpoint))];
      }),
      ...(state?.members ?? []).map((member) => planMemberNames(networkId, member, !unreachable.has(member.host))),
      ...[...services].map(planServiceNames),
    ];
  }
}

const whole = (records: readonly Keyed[]): GroupChange => ({ isWhole: true, records: new Map(records) });
const some = (records: readonly [string, StateRecord | undefined][]): GroupChange => ({ isWhole: false, records: new Map(records) });

const toNamed = ({
  container_id: id,
  container_name: name,
  hostname,
}: AttachmentRow): Pick<NamedContainer, "id" | "name" | "hostname"> => ({
  id,
  name,
  hostname,
});

const toNamedEndpoint = (endpoint: EndpointRow): NamedEndpoint => ({
  networkId: endpoint.network_id,
  addresses: [endpoint.address, ...(endpoint.address6 === "" ? [] : [endpoint.address6])],
  aliases: endpoint.aliases,
  links: endpoint.links,
});
