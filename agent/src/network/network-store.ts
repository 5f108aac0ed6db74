import type { Database, Migration } from "../store/database.ts";
import type { Ipv6Ranges } from "./ipv6.ts";
import { AttachmentRow, EndpointRow, NetworkRow, NetworkRows, PortRow } from "./network-rows.ts";

export type { AttachmentRow, EndpointRow, NetworkRow, PortRow } from "./network-rows.ts";

/**
 * Networks, endpoints and published ports. A row of endpoints or ports is the intent: it is written before the kernel
 * object is made and removed after that is gone, so that what a crash leaves is always named here or by its link name.
 */
const MIGRATION: Migration = {
  module: "network",
  steps: [
    `CREATE TABLE networks (
       number INTEGER PRIMARY KEY AUTOINCREMENT,
       id TEXT NOT NULL UNIQUE,
       namespace TEXT NOT NULL,
       name TEXT NOT NULL,
       subnet TEXT NOT NULL,
       address_range TEXT NOT NULL,
       gateway TEXT NOT NULL,
       is_subnet_chosen INTEGER NOT NULL,
       is_internal INTEGER NOT NULL,
       is_attachable INTEGER NOT NULL,
       labels TEXT NOT NULL,
       options TEXT NOT NULL,
       last_address TEXT NOT NULL,
       created_at_ms INTEGER NOT NULL,
       UNIQUE (namespace, name)
     ) STRICT;
     CREATE TABLE attachments (
       container_id TEXT PRIMARY KEY,
       namespace TEXT NOT NULL,
       hostname TEXT NOT NULL,
       container_name TEXT NOT NULL
     ) STRICT;
     CREATE TABLE endpoints (
       number INTEGER PRIMARY KEY AUTOINCREMENT,
       id TEXT NOT NULL UNIQUE,
       container_id TEXT NOT NULL REFERENCES attachments ON DELETE CASCADE,
       network_id TEXT NOT NULL REFERENCES networks (id),
       position INTEGER NOT NULL,
       address TEXT NOT NULL,
       mac TEXT NOT NULL,
       aliases TEXT NOT NULL,
       UNIQUE (container_id, network_id),
       UNIQUE (container_id, position),
       UNIQUE (network_id, address)
     ) STRICT;
     CREATE TABLE ports (
       container_id TEXT NOT NULL REFERENCES attachments ON DELETE CASCADE,
       protocol TEXT NOT NULL,
       host_address TEXT NOT NULL,
       host_port INTEGER NOT NULL,
       container_port INTEGER NOT NULL,
       PRIMARY KEY (protocol, host_port, host_address)
     ) STRICT;
     CREATE INDEX ports_by_container ON ports (container_id);`,
    `ALTER TABLE networks ADD COLUMN driver TEXT NOT NULL DEFAULT 'bridge';`,
    `ALTER TABLE attachments ADD COLUMN dns_servers TEXT NOT NULL DEFAULT '[]';
     ALTER TABLE endpoints ADD COLUMN links TEXT NOT NULL DEFAULT '[]';`,
    `ALTER TABLE networks ADD COLUMN reserved_addresses TEXT NOT NULL DEFAULT '{}';`,
    `ALTER TABLE networks ADD COLUMN subnet6 TEXT NOT NULL DEFAULT '';
     ALTER TABLE networks ADD COLUMN gateway6 TEXT NOT NULL DEFAULT '';
     ALTER TABLE endpoints ADD COLUMN address6 TEXT NOT NULL DEFAULT '';`,
    `ALTER TABLE networks ADD COLUMN address_range6 TEXT NOT NULL DEFAULT '';
     ALTER TABLE networks ADD COLUMN reserved_addresses6 TEXT NOT NULL DEFAULT '{}';`,
  ],
};

type NewNetwork = Omit<NetworkRow, "number" | "last_address" | "reserved_addresses" | keyof Ipv6Ranges> & Partial<Ipv6Ranges>;

/**
 * INVARIANT: nobody else writes to these tables, so rows are read once and then kept, and read anew only after a rollback. What is read is as
 * the last write of this process left it, also within a transaction.
 */
export class NetworkStore {
  readonly #db: Database;
  #kept: NetworkRows | undefined;

  constructor(db: Database) {
    this.#db = db;
    db.migrate(MIGRATION);
    db.onRollback(() => (this.#kept = undefined));
  }

  get #rows(): NetworkRows {
    return (this.#kept ??= this.#read());
  }

  #read(): NetworkRows {
    const rows = new NetworkRows();
    for (const row of this.#db.all("SELECT * FROM networks ORDER BY number")) rows.putNetwork(NetworkRow.parse(row));
    for (const row of this.#db.all("SELECT * FROM attachments")) rows.putAttachment(AttachmentRow.parse(row));
    for (const row of this.#db.all("SELECT * FROM endpoints ORDER BY number")) rows.addEndpoint(EndpointRow.parse(row));
    for (const row of this.#db.all("SELECT * FROM ports")) rows.addPort(PortRow.parse(row));
    return rows;
  }

  transaction<T>(work: () => T): T {
    return this.#db.transaction(work);
  }

  networks(namespace?: string): NetworkRow[] {
    const all = [...this.#rows.networks.values()];
    return namespace === undefined ? all : all.filter((row) => row.namespace === namespace);
  }

  findNetwork(id: string): NetworkRow | undefined {
    return this.#rows.networks.get(id);
  }

  findNamed(namespace: string, name: string): NetworkRow | undefined {
    for (const row of this.#rows.networks.values()) if (row.name === name && row.namespace === namespace) return row;
    return undefined;
  }

  addNetwork(network: NewNetwork, reserved: Record<string, string> = {}): void {
    const { address_range6 = "", reserved_addresses6 = {} } = network;
    const { lastInsertRowid } = this.#db.run(
      `INSERT INTO networks (id, namespace, name, driver, subnet, address_range, gateway, is_subnet_chosen, is_internal, is_attachable, labels,
         options, last_address, created_at_ms, reserved_addresses, subnet6, gateway6, address_range6, reserved_addresses6)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '0.0.0.0', ?, ?, ?, ?, ?, ?)`,
      network.id,
      network.namespace,
      network.name,
      network.driver,
      network.subnet,
      network.address_range,
      network.gateway,
      Number(network.is_subnet_chosen),
      Number(network.is_internal),
      Number(network.is_attachable),
      JSON.stringify(network.labels),
      JSON.stringify(network.options),
      network.created_at_ms,
      JSON.stringify(reserved),
      network.subnet6,
      network.gateway6,
      address_range6,
      JSON.stringify(reserved_addresses6),
    );
    this.#kept?.putNetwork({
      ...network,
      number: lastInsertRowid,
      address_range6,
      labels: { ...network.labels },
      options: { ...network.options },
      last_address: "0.0.0.0",
      reserved_addresses: { ...reserved },
      reserved_addresses6: { ...reserved_addresses6 },
    });
  }

  setSubnet(id: string, { subnet, gateway }: { subnet: string; gateway: string }): void {
    this.#db.run("UPDATE networks SET subnet = ?, gateway = ?, last_address = '0.0.0.0' WHERE id = ?", subnet, gateway, id);
    this.#changeNetwork(id, { subnet, gateway, last_address: "0.0.0.0" });
  }

  /** Where the search for the next free address goes on. */
  setLastAddress(id: string, address: string): void {
    this.#db.run("UPDATE networks SET last_address = ? WHERE id = ?", address, id);
    this.#changeNetwork(id, { last_address: address });
  }

  #changeNetwork(id: string, change: Partial<NetworkRow>): void {
    const row = this.#kept?.networks.get(id);
    if (row !== undefined) this.#kept?.putNetwork({ ...row, ...change });
  }

  removeNetwork(id: string): void {
    this.#db.run("DELETE FROM networks WHERE id = ?", id);
    this.#kept?.networks.delete(id);
  }

  attachments(): AttachmentRow[] {
    return [...this.#rows.attachments.values()];
  }

  findAttachment(containerId: string): AttachmentRow | undefined {
    return this.#rows.attachments.get(containerId);
  }

  addAttachment(row: AttachmentRow): void {
    const { container_id, namespace, hostname, container_name, dns_servers } = row;
    this.#db.run(
      "INSERT INTO attachments (container_id, namespace, hostname, container_name, dns_servers) VALUES (?, ?, ?, ?, ?)",
      container_id,
      namespace,
      hostname,
      container_name,
      JSON.stringify(dns_servers),
    );
    this.#kept?.putAttachment({ container_id, namespace, hostname, container_name, dns_servers: [...dns_servers] });
  }

  setContainerName(containerId: string, name: string): void {
    this.#db.run("UPDATE attachments SET container_name = ? WHERE container_id = ?", name, containerId);
    const row = this.#kept?.attachments.get(containerId);
    if (row !== undefined) this.#kept?.putAttachment({ ...row, container_name: name });
  }

  /** With its endpoints and ports. */
  removeAttachment(containerId: string): void {
    this.#db.run("DELETE FROM attachments WHERE container_id = ?", containerId);
    this.#kept?.removeAttachment(containerId);
  }

  endpoints(): EndpointRow[] {
    return [...this.#rows.endpoints.values()];
  }

  endpointsOf(containerId: string): EndpointRow[] {
    return this.#rows.endpointsOf(containerId);
  }

  endpointsIn(networkId: string): EndpointRow[] {
    return this.#rows.endpointsIn(networkId);
  }

  isAddressUsed(networkId: string, address: string): boolean {
    return this.#db.get("SELECT 1 FROM endpoints WHERE network_id = ? AND address = ?", networkId, address) !== undefined;
  }

  addEndpoint(endpoint: Omit<EndpointRow, "number">): void {
    const { id, container_id, network_id, position, address, address6, mac, aliases, links } = endpoint;
    const { lastInsertRowid } = this.#db.run(
      "INSERT INTO endpoints (id, container_id, network_id, position, address, address6, mac, aliases, links) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id,
      container_id,
      network_id,
      position,
      address,
      address6,
      mac,
      JSON.stringify(aliases),
      JSON.stringify(links),
    );
    const rest = { id, container_id, network_id, position, address, address6, mac, aliases: [...aliases], links: [...links] };
    this.#kept?.addEndpoint({ number: lastInsertRowid, ...rest });
  }

  removeEndpoint(id: string): void {
    this.#db.run("DELETE FROM endpoints WHERE id = ?", id);
    this.#kept?.removeEndpoint(id);
  }

  ports(): PortRow[] {
    return this.#rows.ports();
  }

  /** Containers that publish ports: most publish none. */
  publishers(): string[] {
    return this.#rows.publishers();
  }

  /** Networks that have endpoints. */
  networksInUse(): ReadonlySet<string> {
    return this.#rows.networksInUse();
  }

  isInUse(networkId: string): boolean {
    return this.#rows.isInUse(networkId);
  }

  /** Those of one network. */
  publishersIn(networkId: string): ReadonlySet<string> {
    const containers = this.#rows.endpointsIn(networkId).map((endpoint) => endpoint.container_id);
    return new Set(containers.filter((id) => this.#rows.isPublisher(id)));
  }

  portsOf(containerId: string): PortRow[] {
    return this.#rows.portsOf(containerId);
  }

  /** Whether a port is published on this address, or on every address of its family, or (for "0.0.0.0" and "::") on any. */
  isPortTaken(port: { protocol: string; host_address: string; host_port: number }): boolean {
    const rows = this.#db.all("SELECT host_address FROM ports WHERE protocol = ? AND host_port = ?", port.protocol, port.host_port);
    const isV6 = port.host_address.includes(":");
    const every = isV6 ? "::" : "0.0.0.0";
    return rows
      .map((row) => String(row["host_address"]))
      .filter((address) => address.includes(":") === isV6)
      .some((address) => address === port.host_address || address === every || port.host_address === every);
  }

  addPort(port: PortRow): void {
    this.#db.run(
      "INSERT INTO ports (container_id, protocol, host_address, host_port, container_port) VALUES (?, ?, ?, ?, ?)",
      port.container_id,
      port.protocol,
      port.host_address,
      port.host_port,
      port.container_port,
    );
    this.#kept?.addPort({ ...port });
  }

  removePorts(containerId: string): void {
    this.#db.run("DELETE FROM ports WHERE container_id = ?", containerId);
    this.#kept?.removePorts(containerId);
  }
}
