import { type Reason, reason } from "./reason.ts";
import type { ScheduleHost, ServiceDemand } from "./schedule-types.ts";

/** What an image on the spot weighs against being a little more loaded: nothing. Reservations weigh like so many replicas. */
const RESERVED_WEIGHT = 8;

/** A host while replicas are being placed on it. */
export class HostUse {
  readonly host: ScheduleHost;
  /** Place in the order of names: what decides between equals, so that equal input gives equal output. */
  readonly order: number;
  /** Rises with each replica: what `spread` keeps low. */
  load = 0;
  readonly counts = new Map<string, number>();
  readonly #ports: Set<string>;
  readonly #images: Set<string>;
  #replicas = 0;
  #cpuMillis = 0;
  #memoryBytes = 0;

  constructor(host: ScheduleHost, order: number) {
    this.host = host;
    this.order = order;
    this.#ports = new Set(host.ports);
    this.#images = new Set(host.images);
  }

  /** Takes a replica. One that leaves holds its resources but is not counted. */
  add(service: ServiceDemand, isLeaving = false): void {
    this.#replicas += 1;
    this.#cpuMillis += service.cpuMillis;
    this.#memoryBytes += service.memoryBytes;
    for (const port of service.hostPorts) this.#ports.add(port);
    if (!isLeaving) this.counts.set(service.id, this.countOf(service) + 1);
    const { cpuMillis, memoryBytes } = this.host;
    const share = Math.max(shareOf(this.#cpuMillis, cpuMillis), shareOf(this.#memoryBytes, memoryBytes));
    this.load = this.#replicas + RESERVED_WEIGHT * share;
  }

  countOf(service: ServiceDemand): number {
    return this.counts.get(service.id) ?? 0;
  }

  hasImage(image: string): boolean {
    return this.#images.has(image);
  }

  /** Why one more replica does not fit; undefined when it does. */
  refusal(service: ServiceDemand): Reason | undefined {
    const { cpuMillis, memoryBytes, maxPerHost, hostPorts } = service;
    const withheld = this.#withheld(service);
    if (withheld !== undefined) return withheld;
    if (maxPerHost !== null && this.countOf(service) >= maxPerHost) return reason("is_full", { most: maxPerHost });
    if (cpuMillis > 0 && this.host.cpuMillis !== null && this.#cpuMillis + cpuMillis > this.host.cpuMillis) {
      return reason("no_cpus", { cpus: cpuMillis / 1000 });
    }
    if (memoryBytes > 0 && this.host.memoryBytes !== null && this.#memoryBytes + memoryBytes > this.host.memoryBytes) {
      return reason("no_memory", { mib: Math.ceil(memoryBytes / 2 ** 20) });
    }
    const port = hostPorts.length === 0 ? undefined : hostPorts.find((wanted) => this.#ports.has(wanted));
    return port === undefined ? undefined : reason("port_taken", { port });
  }

  /** What the grant of a host of others does not lend. */
  #withheld({ needsNetworks, hostPorts }: ServiceDemand): Reason | undefined {
    const { share } = this.host;
    if (share === undefined) return undefined;
    if (!share.mayRun) return reason("share_no_run");
    if (needsNetworks) return reason("share_no_networks");
    const { maxReplicas, ports } = share;
    if (maxReplicas !== null && this.#replicas >= maxReplicas) return reason("share_full", { most: maxReplicas });
    const isLent = (port: string): boolean =>
      ports === null || ports.some(([from, to]) => from <= Number.parseInt(port, 10) && Number.parseInt(port, 10) <= to);
    const outside = hostPorts.find((port) => !isLent(port));
    return outside === undefined ? undefined : reason("share_no_port", { port: outside });
  }
}

function shareOf(used: number, all: number | null): number {
  return all === null || all === 0 ? 0 : used / all;
}

/** Whether a host may get anything at all, whatever the service. */
export function isOpen({ host }: HostUse): boolean {
  return !host.isDown && host.availability === "active";
}
