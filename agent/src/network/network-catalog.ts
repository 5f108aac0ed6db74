import { createHash } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import type { BridgeDriver } from "./bridge-driver.ts";
import type { NetworkRow, NetworkStore } from "./network-store.ts";

/** `null` is the driver of `none`, as Docker names it. */
export type KnownNetwork =
  | { id: string; name: string; driver: "bridge" | "overlay"; row: NetworkRow }
  | { id: string; name: "host"; driver: "host" }
  | { id: string; name: "none"; driver: "null" };

export const PREDEFINED_NETWORKS: readonly string[] = ["bridge", "host", "none"];

const ID_PREFIX = /^[0-9a-f]{1,64}$/;

/** Which networks a namespace has, by name and id. Each has a `bridge`, a `host` and a `none` of its own. */
export class NetworkCatalog {
  readonly #store: NetworkStore;
  readonly #bridges: BridgeDriver;
  readonly #instance: string;

  constructor(store: NetworkStore, options: { bridges: BridgeDriver; instance: string }) {
    this.#store = store;
    this.#bridges = options.bridges;
    this.#instance = options.instance;
  }

  /** Predefined ones first. */
  list(namespace: string): KnownNetwork[] {
    const predefined = this.#predefined(namespace);
    const [fallback] = predefined;
    const rows = this.#store.networks(namespace).filter((row) => row.id !== fallback.id);
    return [...predefined, ...rows.map(toKnown)];
  }

  /** By name, id or unambiguous prefix of an id; "" and "default" are `bridge`. @throws not_found; invalid when ambiguous. */
  get(namespace: string, nameOrId: string): KnownNetwork {
    const wanted = nameOrId === "" || nameOrId === "default" ? "bridge" : nameOrId;
    const exact = this.#find(namespace, wanted);
    if (exact !== undefined) return exact;
    const networks = this.list(namespace);
    const [first, ...others] = ID_PREFIX.test(wanted) ? networks.filter((network) => network.id.startsWith(wanted)) : [];
    if (first === undefined) throw new FlotillaError("not_found", `network ${nameOrId} not found`);
    if (others.length > 0)
      throw new FlotillaError("invalid", `network ${nameOrId} is ambiguous (${others.length + 1} matches found based on ID prefix)`);
    return first;
  }

  /** By name, else by id: most look-ups, and they must not cost more with each network that there is. */
  #find(namespace: string, wanted: string): KnownNetwork | undefined {
    if (PREDEFINED_NETWORKS.includes(wanted)) return this.#predefined(namespace).find(({ name }) => name === wanted);
    const byName = this.#store.findNamed(namespace, wanted);
    if (byName !== undefined) return toKnown(byName);
    const byId = this.#store.findNetwork(wanted);
    if (byId !== undefined) return byId.namespace === namespace ? toKnown(byId) : undefined;
    return this.#predefined(namespace).find(({ id }) => id === wanted);
  }

  #predefined(namespace: string): [KnownNetwork, KnownNetwork, KnownNetwork] {
    return [
      toKnown(this.#ensureDefault(namespace)),
      { id: this.#predefinedId(namespace, "host"), name: "host", driver: "host" },
      { id: this.#predefinedId(namespace, "none"), name: "none", driver: "null" },
    ];
  }

  /** A network that containers get addresses on. @throws as `get`; invalid for host and none. */
  getAddressed(namespace: string, nameOrId: string): NetworkRow {
    const network = this.get(namespace, nameOrId);
    if ("row" in network) return network.row;
    throw new FlotillaError("invalid", `container cannot be connected to network ${network.name}: it has no addresses`);
  }

  /** A predefined network's id is the same for ever, so that clients may keep it. */
  #predefinedId(namespace: string, name: string): string {
    return createHash("sha256").update(`${this.#instance}\0${namespace}\0${name}`).digest("hex");
  }

  #ensureDefault(namespace: string): NetworkRow {
    const id = this.#predefinedId(namespace, "bridge");
    const present = this.#store.findNetwork(id);
    if (present !== undefined) return present;
    this.#store.addNetwork({
      id,
      namespace,
      name: "bridge",
      driver: "bridge",
      ...this.#bridges.chooseSubnet(),
      address_range: "",
      subnet6: "",
      gateway6: "",
      is_subnet_chosen: true,
      is_internal: false,
      is_attachable: false,
      labels: {},
      options: {},
      created_at_ms: Date.now(),
    });
    const added = this.#store.findNetwork(id);
    if (added === undefined) throw new FlotillaError("internal", `network ${id} not found`);
    return added;
  }
}

const toKnown = (row: NetworkRow): KnownNetwork => ({ id: row.id, name: row.name, driver: row.driver, row });
