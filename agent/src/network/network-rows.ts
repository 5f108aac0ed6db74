// Networks, attachments, endpoints and published ports as they are in the database: their schemas, and all rows in memory with the indexes that
// they are asked for by. An attach asks some forty times.
import { z } from "zod";

const jsonOf = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);
const flagColumn = z.int().transform((value) => value !== 0);
const textMap = jsonOf(z.record(z.string(), z.string()));

export const NetworkRow = z.object({
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

export const EndpointRow = z.object({
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

export const PortRow = z.object({
  container_id: z.string(),
  protocol: z.enum(["tcp", "udp", "sctp"]),
  /** "0.0.0.0" is every IPv4 address, "::" every IPv6 one. */
  host_address: z.string(),
  host_port: z.int(),
  container_port: z.int(),
});
export type PortRow = z.output<typeof PortRow>;

export const AttachmentRow = z.object({
  container_id: z.string(),
  namespace: z.string(),
  hostname: z.string(),
  container_name: z.string(),
  /** `--dns`; empty for the host's. */
  dns_servers: jsonOf(z.array(z.string())),
});
export type AttachmentRow = z.output<typeof AttachmentRow>;

/** Grouped by a key, in the order in which they came; a list that is asked for is the asker's own. */
class Groups<T> {
  readonly #lists = new Map<string, T[]>();

  of(key: string): T[] {
    return [...(this.#lists.get(key) ?? [])];
  }

  has(key: string): boolean {
    return this.#lists.has(key);
  }

  keys(): Set<string> {
    return new Set(this.#lists.keys());
  }

  add(key: string, row: T): void {
    const list = this.#lists.get(key);
    if (list === undefined) this.#lists.set(key, [row]);
    else list.push(row);
  }

  remove(key: string, row: T): void {
    const left = (this.#lists.get(key) ?? []).filter((each) => each !== row);
    if (left.length === 0) this.#lists.delete(key);
    else this.#lists.set(key, left);
  }

  clear(key: string): void {
    this.#lists.delete(key);
  }
}

/** All rows. Those that are handed out are frozen: a change is a new row. */
export class NetworkRows {
  /** By id, in the order of their numbers. */
  readonly networks = new Map<string, NetworkRow>();
  /** By container. */
  readonly attachments = new Map<string, AttachmentRow>();
  /** By id, in the order of their numbers. */
  readonly endpoints = new Map<string, EndpointRow>();
  readonly #byContainer = new Groups<EndpointRow>();
  readonly #byNetwork = new Groups<EndpointRow>();
  readonly #ports = new Groups<PortRow>();

  putNetwork(row: NetworkRow): void {
    this.networks.set(row.id, Object.freeze(row));
  }

  putAttachment(row: AttachmentRow): void {
    this.attachments.set(row.container_id, Object.freeze(row));
  }

  /** One that was not there; its number is the highest. */
  addEndpoint(row: EndpointRow): void {
    this.endpoints.set(row.id, Object.freeze(row));
    this.#byContainer.add(row.container_id, row);
    this.#byNetwork.add(row.network_id, row);
  }

  removeEndpoint(id: string): void {
    const row = this.endpoints.get(id);
    if (row === undefined) return;
    this.endpoints.delete(id);
    this.#byContainer.remove(row.container_id, row);
    this.#byNetwork.remove(row.network_id, row);
  }

  addPort(row: PortRow): void {
    this.#ports.add(row.container_id, Object.freeze(row));
  }

  removePorts(containerId: string): void {
    this.#ports.clear(containerId);
  }

  /** With what the database takes along. */
  removeAttachment(containerId: string): void {
    this.attachments.delete(containerId);
    for (const { id } of this.#byContainer.of(containerId)) this.removeEndpoint(id);
    this.removePorts(containerId);
  }

  /** In the order of their positions. */
  endpointsOf(containerId: string): EndpointRow[] {
    return this.#byContainer.of(containerId).toSorted((a, b) => a.position - b.position);
  }

  /** In the order of their numbers. */
  endpointsIn(networkId: string): EndpointRow[] {
    return this.#byNetwork.of(networkId);
  }

  networksInUse(): Set<string> {
    return this.#byNetwork.keys();
  }

  isInUse(networkId: string): boolean {
    return this.#byNetwork.has(networkId);
  }

  portsOf(containerId: string): PortRow[] {
    return this.#ports.of(containerId).toSorted(byContainerPort);
  }

  ports(): PortRow[] {
    return this.publishers().flatMap((containerId) => this.#ports.of(containerId)).toSorted(byHostPort); // prettier-ignore
  }

  publishers(): string[] {
    return [...this.#ports.keys()].toSorted();
  }

  isPublisher(containerId: string): boolean {
    return this.#ports.has(containerId);
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
const byContainerPort = (a: PortRow, b: PortRow): number =>
  a.container_port - b.container_port ||
  compare(a.protocol, b.protocol) ||
  a.host_port - b.host_port ||
  compare(a.host_address, b.host_address);
const byHostPort = (a: PortRow, b: PortRow): number =>
  a.host_port - b.host_port || compare(a.protocol, b.protocol) || compare(a.host_address, b.host_address);
