import { networkService, type NetworkService, networkState, type NetworkState } from "@flotilla/protocol";
import { z } from "zod";
import type { Database, Migration } from "../store/database.ts";

/**
 * What this host was last told of each overlay network, so that it goes on without the control plane, and addresses that rest.
 * Addresses come to rest by a trigger: whichever way an endpoint goes, its address is not given to another at once.
 */
const MIGRATION: Migration = {
  module: "overlay",
  steps: [
    `CREATE TABLE overlay_networks (
       network_id TEXT PRIMARY KEY,
       state TEXT NOT NULL,
       uplink_index INTEGER NOT NULL UNIQUE
     ) STRICT;
     CREATE TABLE released_addresses (
       network_id TEXT NOT NULL REFERENCES overlay_networks ON DELETE CASCADE,
       address TEXT NOT NULL,
       container_id TEXT NOT NULL,
       released_at_ms INTEGER NOT NULL,
       PRIMARY KEY (network_id, address)
     ) STRICT;
     CREATE TRIGGER overlay_address_rests AFTER DELETE ON endpoints
     WHEN EXISTS (SELECT 1 FROM overlay_networks WHERE network_id = OLD.network_id)
     BEGIN
       INSERT OR REPLACE INTO released_addresses
       VALUES (OLD.network_id, OLD.address, OLD.container_id, CAST(unixepoch('subsec') * 1000 AS INTEGER));
     END;`,
    `CREATE TABLE overlay_services (
       network_id TEXT NOT NULL REFERENCES overlay_networks ON DELETE CASCADE,
       service_id TEXT NOT NULL,
       body TEXT NOT NULL,
       PRIMARY KEY (network_id, service_id)
     ) STRICT;
     UPDATE overlay_networks SET state = json_set(state, '$.members', json('[]')) WHERE json_type(state, '$.members') IS NULL;`,
    `CREATE INDEX released_by_container ON released_addresses (container_id, network_id);`,
  ],
};

const Row = z.object({
  network_id: z.string(),
  state: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(networkState),
  uplink_index: z.int(),
});
const Service = z.object({
  body: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(networkService),
});
export type OverlayRow = { networkId: string; state: NetworkState; uplinkIndex: number };

const Released = z.object({ address: z.string(), container_id: z.string(), released_at_ms: z.int() });
export type ReleasedAddress = { address: string; containerId: string; releasedAtMs: number };

/** Where in the host's blocks the last search ended: the next one goes on there, so that it need not look at all that are in use. */
export type AddressCursor = { next: number };

type ServiceIndex = { all: Map<string, NetworkService>; published: Map<string, NetworkService> };

/** Needs the tables of NetworkStore: that is made first. */
export class OverlayStore {
  readonly #db: Database;
  /** Parsed once: a state may be large, and every endpoint asks for it. */
  readonly #rows = new Map<string, OverlayRow>();
  readonly #services = new Map<string, ServiceIndex>();
  readonly #cursors = new Map<string, AddressCursor>();

  constructor(db: Database) {
    this.#db = db;
    db.migrate(MIGRATION);
    for (const row of db.all("SELECT * FROM overlay_networks").map((each) => Row.parse(each))) {
      this.#rows.set(row.network_id, { networkId: row.network_id, state: row.state, uplinkIndex: row.uplink_index });
    }
    for (const row of db.all("SELECT body FROM overlay_services")) this.#index(Service.parse(row).body);
  }

  all(): OverlayRow[] {
    return [...this.#rows.values()];
  }

  find(networkId: string): OverlayRow | undefined {
    return this.#rows.get(networkId);
  }

  put(row: OverlayRow): void {
    this.#db.run(
      `INSERT INTO overlay_networks (network_id, state, uplink_index) VALUES (?, ?, ?)
       ON CONFLICT (network_id) DO UPDATE SET state = excluded.state, uplink_index = excluded.uplink_index`,
      row.networkId,
      JSON.stringify(row.state),
      row.uplinkIndex,
    );
    this.#rows.set(row.networkId, row);
  }

  remove(networkId: string): void {
    this.#db.run("DELETE FROM overlay_networks WHERE network_id = ?", networkId);
    this.#rows.delete(networkId);
    this.#services.delete(networkId);
    this.#cursors.delete(networkId);
  }

  /** Services of a network by id; the same map at every call. */
  services(networkId: string): ReadonlyMap<string, NetworkService> {
    return this.#indexOf(networkId).all;
  }

  /** Those of them that have a port on every host. */
  published(networkId: string): ReadonlyMap<string, NetworkService> {
    return this.#indexOf(networkId).published;
  }

  putService(service: NetworkService): void {
    this.#db.run(
      `INSERT INTO overlay_services (network_id, service_id, body) VALUES (?, ?, ?)
       ON CONFLICT (network_id, service_id) DO UPDATE SET body = excluded.body`,
      service.networkId,
      service.id,
      JSON.stringify(service),
    );
    this.#index(service);
  }

  removeService(networkId: string, serviceId: string): void {
    this.#db.run("DELETE FROM overlay_services WHERE network_id = ? AND service_id = ?", networkId, serviceId);
    const { all, published } = this.#indexOf(networkId);
    all.delete(serviceId);
    published.delete(serviceId);
  }

  /** @throws what `work` throws, with nothing stored; what it has put into memory it must not have. */
  transaction(work: () => void): void {
    this.#db.transaction(work);
  }

  #indexOf(networkId: string): ServiceIndex {
    const present = this.#services.get(networkId) ?? { all: new Map(), published: new Map() };
    this.#services.set(networkId, present);
    return present;
  }

  #index(service: NetworkService): void {
    const { all, published } = this.#indexOf(service.networkId);
    all.set(service.id, service);
    if (service.ports.some((port) => port.publishedPort !== null)) published.set(service.id, service);
    else published.delete(service.id);
  }

  released(networkId: string): ReleasedAddress[] {
    return this.#db.all("SELECT * FROM released_addresses WHERE network_id = ?", networkId).map((each) => {
      const row = Released.parse(each);
      return { address: row.address, containerId: row.container_id, releasedAtMs: row.released_at_ms };
    });
  }

  /** Addresses of a network that a container gave back. */
  releasedBy(networkId: string, containerId: string): string[] {
    const sql = "SELECT address FROM released_addresses WHERE container_id = ? AND network_id = ?";
    return this.#db.all(sql, containerId, networkId).map((row) => String(row["address"]));
  }

  /** When an address was given back last; undefined when it never was. */
  releasedAtMs(networkId: string, address: string): number | undefined {
    const row = this.#db.get("SELECT released_at_ms FROM released_addresses WHERE network_id = ? AND address = ?", networkId, address);
    return row === undefined ? undefined : Number(row["released_at_ms"]);
  }

  /** Where the search for a free address of a network goes on, for whoever searches to change. Any place will do, also in other blocks than before. */
  cursor(networkId: string): AddressCursor {
    const present = this.#cursors.get(networkId) ?? { next: 0 };
    this.#cursors.set(networkId, present);
    return present;
  }
}
