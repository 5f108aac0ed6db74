import type { RouterStack } from "../host/overlay-kernel.ts";
import { type EndpointPart, planEndpointChanges } from "./endpoint-parts.ts";
import { ROUTER_TABLE } from "./names.ts";
import type { RouterInput } from "./router-plan.ts";
import {
  afterUpdate,
  formatTable,
  formatUpdate,
  isEmpty,
  isPlain,
  planTable,
  planUpdate,
  withChains,
  type RouterTable,
  type TableUpdate,
} from "./router-table.ts";
import { planPartChanges, type PartChanges, type ServicePart } from "./service-parts.ts";
import { findStaleFlows, planPublished, type RouterPort, type VirtualServer } from "./virtual-servers.ts";

export type TableWish = RouterInput & { ports: readonly RouterPort[] };

/** From what is loaded to what is wished. @property update undefined when only the whole table will do. */
export type TableStep = {
  before: RouterTable | undefined;
  wanted: RouterTable;
  update: TableUpdate | undefined;
  services: PartChanges<ServicePart>;
  endpoints: PartChanges<EndpointPart>;
};

/** What a router's table is known to be, so that a change costs what it changes. */
export class LoadedTable {
  /** Undefined while it is not known. */
  #table: RouterTable | undefined;
  /** Services as they are in it, by id. */
  readonly #services = new Map<string, ServicePart>();
  /** Containers as they are in it, by link. */
  readonly #endpoints = new Map<string, EndpointPart>();
  /** What is published. */
  #servers: readonly VirtualServer[] = [];
  /** What all but services and containers follows from. */
  #basis: { state: TableWish["state"]; isPublishing: boolean } | undefined;
  /** To be forgotten when the table is in place. */
  #staleFlows: ReturnType<typeof findStaleFlows> = [];

  get isKnown(): boolean {
    return this.#table !== undefined;
  }

  distrust(): void {
    this.#table = undefined;
  }

  /** Unknown from now on until `apply` is done: a transaction that failed half-known would be compared with a wrong table. @param touched services that may be others than before. */
  plan(wish: TableWish, touched?: Iterable<string>): TableStep {
    const servers = planPublished(wish.published, { uplinkAddress: wish.uplink?.routerAddress, ports: wish.ports });
    const before = this.#table;
    const wanted = this.#plan(wish, servers);
    const services = planPartChanges(this.#services, wish.services, before === undefined ? undefined : touched);
    const endpoints = planEndpointChanges(this.#endpoints, wish.endpoints);
    const update = before === undefined ? undefined : planUpdate(before, wanted, join(services, endpoints));
    this.#table = undefined;
    this.#staleFlows.push(...findStaleFlows([...this.#servers, ...serversOf(services.gone)], [...servers, ...serversOf(services.come)]));
    this.#servers = servers;
    return { before, wanted, update, services, endpoints };
  }

  /** The one that is loaded when only services and containers may differ. */
  #plan(wish: TableWish, servers: readonly VirtualServer[]): RouterTable {
    const basis = { state: wish.state, isPublishing: wish.published.length > 0 };
    const isSame = this.#basis?.state === basis.state && this.#basis.isPublishing === basis.isPublishing;
    this.#basis = basis;
    if (this.#table !== undefined && isSame && servers.length + this.#servers.length === 0) return this.#table;
    return planTable(wish, servers);
  }

  async apply({ before, wanted, update, services, endpoints }: TableStep, stack: RouterStack): Promise<void> {
    for (const { service } of services.gone) this.#services.delete(service.id);
    for (const part of services.come) this.#services.set(part.service.id, part);
    for (const { endpoint } of endpoints.gone) this.#endpoints.delete(endpoint.link);
    for (const part of endpoints.come) this.#endpoints.set(part.endpoint.link, part);
    if (before === undefined || update === undefined) {
      const parts = [...this.#services.values(), ...this.#endpoints.values()];
      await stack.nft(formatTable(wanted, parts, stack.hasTable(ROUTER_TABLE)));
      this.#table = withChains(wanted, parts);
    } else {
      await applyUpdate(stack, update);
      this.#table = afterUpdate(before, wanted, join(services, endpoints));
    }
    stack.forgetFlows(this.#staleFlows);
    this.#staleFlows = [];
  }
}

async function applyUpdate(stack: RouterStack, update: TableUpdate): Promise<void> {
  if (isEmpty(update)) return;
  if (isPlain(update)) stack.changeElements(ROUTER_TABLE, update.changes);
  else await stack.nft(formatUpdate(update));
}

const join = (a: PartChanges, b: PartChanges): PartChanges => ({ gone: [...a.gone, ...b.gone], come: [...a.come, ...b.come] });
const serversOf = (parts: readonly ServicePart[]): VirtualServer[] => parts.flatMap((part) => part.servers);
