import { isDeepStrictEqual } from "node:util";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { findServiceContradiction, networkService, type NetworkService, serviceResourceId } from "@flotilla/protocol";
import type { OverlayStore } from "./overlay-store.ts";

/** Services that came, went or are others, by the id of their network. */
export type TouchedServices = ReadonlyMap<string, ReadonlySet<string>>;

/** What is said of services that may be others than before, by `<network id>/<service id>`; undefined: it is to go. */
export type ServiceBodies = ReadonlyMap<string, unknown>;

/**
 * What the control plane says of services, brought into the store. A virtual address belongs to one service of a network and a
 * published port to one service of the host: who asks for another's is refused and the others go on.
 */
export class NetworkServices {
  readonly #store: OverlayStore;
  /** Owner, as `<network id>/<service id>`, of each address and published port. */
  readonly #owners = new Map<string, string>();

  constructor(store: OverlayStore) {
    this.#store = store;
    for (const { networkId } of store.all()) for (const service of store.services(networkId).values()) this.#claim(service);
  }

  /** @returns what went wrong by `<network id>/<service id>`, and what is to be programmed. */
  accept(bodies: ServiceBodies): { failures: Map<string, string>; touched: TouchedServices } {
    const failures = new Map<string, string>();
    const changes = new Map<string, NetworkService | undefined>();
    for (const [key, body] of bodies) {
      try {
        const service = body === undefined ? undefined : this.#parse(key, body);
        if (service === undefined || !isDeepStrictEqual(service, this.#find(key))) changes.set(key, service);
      } catch (error) {
        failures.set(key, toFlotillaError(error).message);
      }
    }
    return { failures, touched: this.#apply(changes, failures) };
  }

  /** A network went, its services with it. Before its row does. */
  forgetNetwork(networkId: string): void {
    for (const service of this.#store.services(networkId).values()) this.#release(service);
  }

  #apply(changes: ReadonlyMap<string, NetworkService | undefined>, failures: Map<string, string>): TouchedServices {
    const touched = new Map<string, Set<string>>();
    // What all of them give up comes first: two services may exchange an address.
    for (const key of changes.keys()) this.#release(this.#find(key));
    this.#store.transaction(() => {
      for (const [key, service] of changes) {
        const [networkId = "", serviceId = ""] = key.split("/");
        const problem = service === undefined ? undefined : this.#claim(service);
        if (problem !== undefined) failures.set(key, problem);
        if (service !== undefined && problem === undefined) this.#store.putService(service);
        else if (this.#find(key) === undefined) continue;
        else this.#store.removeService(networkId, serviceId);
        touched.set(networkId, (touched.get(networkId) ?? new Set()).add(serviceId));
      }
    });
    return touched;
  }

  #parse(key: string, body: unknown): NetworkService {
    const parsed = networkService.safeParse(body);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new FlotillaError("invalid", `service ${key}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "invalid"}`);
    }
    const service = parsed.data;
    if (serviceResourceId(service) !== key)
      throw new FlotillaError("invalid", `service ${key}: its body is that of ${serviceResourceId(service)}`);
    if (this.#store.find(service.networkId) === undefined)
      throw new FlotillaError("invalid", `service ${service.id}: this host does not have its network ${service.networkId}`);
    const contradiction = findServiceContradiction(service);
    if (contradiction !== undefined) throw new FlotillaError("invalid", `service ${service.id}: ${contradiction}`);
    return service;
  }

  #find(key: string): NetworkService | undefined {
    const [networkId = "", serviceId = ""] = key.split("/");
    return this.#store.find(networkId) === undefined ? undefined : this.#store.services(networkId).get(serviceId);
  }

  /** All or nothing. @returns why not. */
  #claim(service: NetworkService): string | undefined {
    const claims = claimsOf(service);
    const taken = claims.find(({ key }) => this.#owners.has(key));
    if (taken !== undefined)
      return `service ${service.id}: ${taken.what} is that of service ${(this.#owners.get(taken.key) ?? "").split("/")[1] ?? ""}`;
    for (const { key } of claims) this.#owners.set(key, serviceResourceId(service));
    return undefined;
  }

  #release(service: NetworkService | undefined): void {
    for (const { key } of service === undefined ? [] : claimsOf(service)) this.#owners.delete(key);
  }
}

function claimsOf(service: NetworkService): { key: string; what: string }[] {
  const addresses = service.addresses.map((address) => ({ key: `${service.networkId} ${address}`, what: `address ${address}` }));
  const ports = service.ports.flatMap(({ publishedPort: port, protocol }) =>
    port === null ? [] : [{ key: `${protocol} ${port}`, what: `published port ${port}/${protocol}` }],
  );
  return [...addresses, ...ports];
}
