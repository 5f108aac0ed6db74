// The state as lookups want it, changed record by record. Pure.
import { type ContainerRecord, type NamesRecord, networkKey, type StateChange, type StateRecord } from "./resolver-state.ts";

/** What one container sees. */
export type ContainerView = Pick<ContainerRecord, "id" | "netnsPath" | "servers" | "isForwarding"> & {
  /** Addresses that a link gives to a name; undefined when none does now. */
  findLink(name: string): readonly string[] | undefined;
  networks: readonly NetworkIndex[];
};

type Entry = { owner: string; rank: number; addresses: readonly string[] };
type Reverse = { owner: string; name: string };

/** Addresses by name (lower case) and names by address, of one network. */
export class NetworkIndex {
  /** Lower case. */
  name = "";
  readonly #records = new Map<string, NamesRecord>();
  readonly #byName = new Map<string, readonly Entry[]>();
  readonly #byAddress = new Map<string, readonly Reverse[]>();

  put(owner: string, record: NamesRecord): void {
    this.remove(owner);
    this.#records.set(owner, record);
    for (const { name, addresses } of record.names) add(this.#byName, name.toLowerCase(), { owner, rank: record.rank, addresses });
    for (const { address, name } of record.members) add(this.#byAddress, address, { owner, name });
  }

  remove(owner: string): void {
    const record = this.#records.get(owner);
    if (record === undefined) return;
    this.#records.delete(owner);
    for (const { name } of record.names) drop(this.#byName, name.toLowerCase(), owner);
    for (const { address } of record.members) drop(this.#byAddress, address, owner);
  }

  /** Of whoever has the name in the lowest rank; undefined when nobody has it. @param name in lower case. */
  addresses(name: string): readonly string[] | undefined {
    const entries = this.#byName.get(name);
    if (entries === undefined) return undefined;
    const best = Math.min(...entries.map(({ rank }) => rank));
    return [...new Set(entries.filter(({ rank }) => rank === best).flatMap(({ addresses }) => addresses))];
  }

  /** undefined when nobody has the address. */
  names(address: string): readonly string[] | undefined {
    return this.#byAddress.get(address)?.map(({ name }) => name);
  }
}

function add<T>(index: Map<string, readonly T[]>, key: string, entry: T): void {
  index.set(key, [...(index.get(key) ?? []), entry]);
}

function drop<T extends { owner: string }>(index: Map<string, readonly T[]>, key: string, owner: string): void {
  const left = (index.get(key) ?? []).filter((entry) => entry.owner !== owner);
  if (left.length === 0) index.delete(key);
  else index.set(key, left);
}

export class ResolverIndex {
  readonly #networks = new Map<string, NetworkIndex>();
  readonly #containers = new Map<string, ContainerRecord>();

  apply({ remove, put }: Pick<StateChange, "remove" | "put">): void {
    for (const key of remove) this.#remove(key);
    for (const [key, record] of put) this.#put(key, record);
  }

  containers(): Iterable<ContainerRecord> {
    return this.#containers.values();
  }

  has(containerId: string): boolean {
    return this.#containers.has(containerId);
  }

  view(containerId: string): ContainerView | undefined {
    const record = this.#containers.get(containerId);
    if (record === undefined) return undefined;
    const { id, netnsPath, servers, isForwarding, links } = record;
    return {
      id,
      netnsPath,
      servers,
      isForwarding,
      findLink: (name) => {
        const targets = links.filter(({ alias }) => alias.toLowerCase() === name);
        const found = targets.flatMap(({ network, target }) => this.#networks.get(network)?.addresses(target.toLowerCase()) ?? []);
        // A link to a container that is not there now says nothing: it may come back.
        return found.length === 0 ? undefined : [...new Set(found)];
      },
      networks: record.networks.flatMap((network) => this.#networks.get(network) ?? []),
    };
  }

  #put(key: string, record: StateRecord): void {
    if (record.kind === "container") this.#containers.set(record.id, record);
    else if (record.kind === "names") this.#network(record.network).put(key, record);
    else this.#network(record.id).name = record.name.toLowerCase();
  }

  #remove(key: string): void {
    const [kind, id = ""] = key.split(" ", 2);
    if (kind === "container") this.#containers.delete(id);
    else if (key === networkKey(id)) this.#networks.delete(id);
    else this.#networks.get(id)?.remove(key);
  }

  #network(id: string): NetworkIndex {
    const present = this.#networks.get(id) ?? new NetworkIndex();
    this.#networks.set(id, present);
    return present;
  }
}
