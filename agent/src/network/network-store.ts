import { z } from "zod";
import type { Database, Migration } from "../store/database.ts";
import type { Ipv6Ranges } from "./ipv6.ts";

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

const jsonOf = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);
const flagColumn = z.int().transform((value) => value !== 0);
const textMap = jsonOf(z.record(z.string(), z.string()));

const NetworkRow = z.object({
  number: z.int(),
  id: z.string(),
  namespace: z.string(),
  name: z.string(),
  driver: z.enum(["bridge", "overlay"]),
  /** `172.17.0.0/16` */
  subnet: z.string(),
  /** Where addresses come from, "" for the whole subnet. */
  address_range: z.string(),
  gateway: z.string(),
  /** "" without IPv6; an overlay has no IPv6 gateway to speak of. */
  subnet6: z.string(),
  gateway6: z.string(),
  address_range6: z.string(),
  is_subnet_chosen: flagColumn,
  is_internal: flagColumn,
  is_attachable: flagColumn,
  labels: textMap,
  options: textMap,
  /** `--aux-address`: taken by others, by whatever name. */
  reserved_addresses: textMap,
  reserved_addresses6: textMap,
  last_address: z.string(),
  created_at_ms: z.int(),
});
export type NetworkRow = z.output<typeof NetworkRow>;

type NewNetwork = Omit<NetworkRow, "number" | "last_address" | "reserved_addresses" | keyof Ipv6Ranges> & Partial<Ipv6Ranges>;

const EndpointRow = z.object({
  number: z.int(),
  id: z.string(),
  container_id: z.string(),
  network_id: z.string(),
  position: z.int(),
  address: z.string(),
  /** "" without IPv6. */
  address6: z.string(),
  mac: z.string(),
  aliases: jsonOf(z.array(z.string())),
  /** `container:alias` */
  links: jsonOf(z.array(z.string())),
});
export type EndpointRow = z.output<typeof EndpointRow>;

const PortRow = z.object({
  container_id: z.string(),
  protocol: z.enum(["tcp", "udp", "sctp"]),
  /** "0.0.0.0" is every IPv4 address, "::" every IPv6 one. */
  host_address: z.string(),
  host_port: z.int(),
  container_port: z.int(),
});
export type PortRow = z.output<typeof PortRow>;

const AttachmentRow = z.object({
  container_id: z.string(),
  namespace: z.string(),
  hostname: z.string(),
  container_name: z.string(),
  /** `--dns`; empty for the host's. */
  dns_servers: jsonOf(z.array(z.string())),
});
export type AttachmentRow = z.output<typeof AttachmentRow>;

export class NetworkStore {
  readonly #db: Database;
  /** Networks as they were parsed last, by id: every look at an endpoint asks for its network. */
  readonly #networks = new Map<string, { raw: Record<string, unknown>; row: NetworkRow }>();

  constructor(db: Database) {
    this.#db = db;
    db.migrate(MIGRATION);
  }

  #parseNetwork(raw: Record<string, unknown>): NetworkRow {
    const id = String(raw["id"]);
    const known = this.#networks.get(id);
    if (known !== undefined && Object.keys(raw).every((column) => known.raw[column] === raw[column])) return known.row;
    const row = NetworkRow.parse(raw);
    this.#networks.set(id, { raw, row });
    return row;
  }

  transaction<T>(work: () => T): T {
    return this.#db.transaction(work);
  }

  networks(namespace?: string): NetworkRow[] {
    const rows =
      namespace === undefined
        ? this.#db.all("SELECT * FROM networks ORDER BY number")
        : this.#db.all("SELECT * FROM networks WHERE namespace = ? ORDER BY number", namespace);
    return rows.map((row) => this.#parseNetwork(row));
  }

  findNetwork(id: string): NetworkRow | undefined {
    const row = this.#db.get("SELECT * FROM networks WHERE id = ?", id);
    return row === undefined ? undefined : this.#parseNetwork(row);
  }

  findNamed(namespace: string, name: string): NetworkRow | undefined {
    const row = this.#db.get("SELECT * FROM networks WHERE namespace = ? AND name = ?", namespace, name);
    return row === undefined ? undefined : this.#parseNetwork(row);
  }

  addNetwork(network: NewNetwork, reserved: Record<string, string> = {}): void {
    this.#db.run(
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
      network.address_range6 ?? "",
      JSON.stringify(network.reserved_addresses6 ?? {}),
    );
  }

  setSubnet(id: string, subnet: { subnet: string; gateway: string }): void {
    this.#db.run("UPDATE networks SET subnet = ?, gateway = ?, last_address = '0.0.0.0' WHERE id = ?", subnet.subnet, subnet.gateway, id);
  }

  removeNetwork(id: string): void {
    this.#db.run("DELETE FROM networks WHERE id = ?", id);
    this.#networks.delete(id);
  }

  attachments(): AttachmentRow[] {
    return this.#db.all("SELECT * FROM attachments").map((row) => AttachmentRow.parse(row));
  }

  findAttachment(containerId: string): AttachmentRow | undefined {
    const row = this.#db.get("SELECT * FROM attachments WHERE container_id = ?", containerId);
    return row === undefined ? undefined : AttachmentRow.parse(row);
  }

  addAttachment(row: AttachmentRow): void {
    this.#db.run(
      "INSERT INTO attachments (container_id, namespace, hostname, container_name, dns_servers) VALUES (?, ?, ?, ?, ?)",
      row.container_id,
      row.namespace,
      row.hostname,
      row.container_name,
      JSON.stringify(row.dns_servers),
    );
  }

  setContainerName(containerId: string, name: string): void {
    this.#db.run("UPDATE attachments SET container_name = ? WHERE container_id = ?", name, containerId);
  }

  /** With its endpoints and ports. */
  removeAttachment(containerId: string): void {
    this.#db.run("DELETE FROM attachments WHERE container_id = ?", containerId);
  }

  endpoints(): EndpointRow[] {
    return this.#db.all("SELECT * FROM endpoints ORDER BY number").map((row) => EndpointRow.parse(row));
  }

  endpointsOf(containerId: string): EndpointRow[] {
    return this.#db
      .all("SELECT * FROM endpoints WHERE container_id = ? ORDER BY position", containerId)
      .map((row) => EndpointRow.parse(row));
  }

  endpointsIn(networkId: string): EndpointRow[] {
    return this.#db.all("SELECT * FROM endpoints WHERE network_id = ? ORDER BY number", networkId).map((row) => EndpointRow.parse(row));
  }

  isAddressUsed(networkId: string, address: string): boolean {
    return this.#db.get("SELECT 1 FROM endpoints WHERE network_id = ? AND address = ?", networkId, address) !== undefined;
  }

  addEndpoint(endpoint: Omit<EndpointRow, "number">): void {
    this.#db.run(
      "INSERT INTO endpoints (id, container_id, network_id, position, address, address6, mac, aliases, links) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      endpoint.id,
      endpoint.container_id,
      endpoint.network_id,
      endpoint.position,
      endpoint.address,
      endpoint.address6,
      endpoint.mac,
      JSON.stringify(endpoint.aliases),
      JSON.stringify(endpoint.links),
    );
  }

  /** Where the search for the next free address goes on. */
  setLastAddress(networkId: string, address: string): void {
    this.#db.run("UPDATE networks SET last_address = ? WHERE id = ?", address, networkId);
  }

  removeEndpoint(id: string): void {
    this.#db.run("DELETE FROM endpoints WHERE id = ?", id);
  }

  ports(): PortRow[] {
    return this.#db.all("SELECT * FROM ports ORDER BY host_port, protocol, host_address").map((row) => PortRow.parse(row));
  }

  /** Containers that publish ports: most publish none. */
  publishers(): string[] {
    return this.#db.all("SELECT DISTINCT container_id FROM ports ORDER BY container_id").map((row) => String(row["container_id"]));
  }

  /** Networks that have endpoints. */
  networksInUse(): ReadonlySet<string> {
    return new Set(this.#db.all("SELECT DISTINCT network_id FROM endpoints").map((row) => String(row["network_id"])));
  }

  isInUse(networkId: string): boolean {
    return this.#db.get("SELECT 1 FROM endpoints WHERE network_id = ? LIMIT 1", networkId) !== undefined;
  }

  /** Those of one network. */
  publishersIn(networkId: string): ReadonlySet<string> {
    const sql = "SELECT DISTINCT container_id FROM ports JOIN endpoints USING (container_id) WHERE network_id = ?";
    return new Set(this.#db.all(sql, networkId).map((row) => String(row["container_id"])));
  }

  portsOf(containerId: string): PortRow[] {
    return this.#db
      .all("SELECT * FROM ports WHERE container_id = ? ORDER BY container_port, protocol, host_port, host_address", containerId)
      .map((row) => PortRow.parse(row));
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
  }

  removePorts(containerId: string): void {
    this.#db.run("DELETE FROM ports WHERE container_id = ?", containerId);
  }
}
