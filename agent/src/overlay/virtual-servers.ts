// Services and published ports as what the balancer knows: an address, a port, and slots of backends. Pure.
import type { NetworkService } from "@flotilla/protocol";
import { canonicalIp } from "../host/ip-bytes.ts";
import { familyOf } from "./prefixes.ts";

export type VirtualServer = {
  address: string;
  protocol: "tcp" | "udp";
  port: number;
  /** `address.port` of each slot: one of weight 2 has two. Never empty. */
  slots: { address: string; port: number }[];
  isSticky: boolean;
};

/** A port of one container that the host hands to the router under the host's port number. */
export type RouterPort = { protocol: "tcp" | "udp" | "sctp"; hostPort: number; containerAddress: string; containerPort: number };

/** The balancing of a service's own addresses. Only servers that have a backend: an address without one refuses its callers. */
export function planServers(service: NetworkService): VirtualServer[] {
  const servers = service.ports.flatMap((port) =>
    service.addresses.map((address) =>
      toServer(service, { address, port: port.port, targetPort: port.targetPort, protocol: port.protocol }),
    ),
  );
  return servers.filter((server) => server.slots.length > 0);
}

/** What the host sends to the router: ports of services that are on every host, and of containers of this one. */
export function planPublished(
  published: readonly NetworkService[],
  local: { uplinkAddress: string | undefined; ports: readonly RouterPort[] },
): VirtualServer[] {
  const { uplinkAddress: address } = local;
  if (address === undefined) return [];
  const ofContainers = local.ports.flatMap((port): VirtualServer[] => {
    if (port.protocol === "sctp") return [];
    const slots = [{ address: port.containerAddress, port: port.containerPort }];
    return [{ address, protocol: port.protocol, port: port.hostPort, slots, isSticky: false }];
  });
  const ofServices = published.flatMap((service) =>
    service.ports.flatMap(({ protocol, publishedPort: port, targetPort }) =>
      port === null ? [] : [toServer(service, { address, port, targetPort, protocol })],
    ),
  );
  // A port has one owner. The host's table sends it to whoever holds it, a container's was there first.
  const byPort = new Map<string, VirtualServer>();
  for (const server of [...ofContainers, ...ofServices].filter(({ slots }) => slots.length > 0)) {
    const key = `${server.protocol} ${server.port}`;
    if (!byPort.has(key)) byPort.set(key, server);
  }
  return [...byPort.values()];
}

function toServer(
  service: NetworkService,
  at: { address: string; protocol: "tcp" | "udp"; port: number; targetPort: number },
): VirtualServer {
  const address = canonicalIp(at.address);
  const family = familyOf(address);
  const slots: VirtualServer["slots"] = [];
  for (const backend of service.backends) {
    if (familyOf(backend.address) !== family) continue;
    const slot = { address: canonicalIp(backend.address), port: at.targetPort };
    for (let count = 0; count < backend.weight; count += 1) slots.push(slot);
  }
  // Sorted, so that the same backends give the same slots, and a sticky caller the same backend, on every host.
  slots.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return { address, protocol: at.protocol, port: at.port, slots, isSticky: service.affinity === "client-ip" };
}

/** UDP flows that were given a backend which is no slot of their server any more. */
export function findStaleFlows(
  before: readonly VirtualServer[],
  after: readonly VirtualServer[],
): { address: string; port: number; backend: string }[] {
  const keyOf = (server: VirtualServer): string => `${server.protocol} ${server.address} ${server.port}`;
  const present = new Map(after.map((server) => [keyOf(server), new Set(server.slots.map((slot) => slot.address))]));
  return before
    .filter((server) => server.protocol === "udp")
    .flatMap((server) => {
      const kept = present.get(keyOf(server));
      const gone = new Set(server.slots.map((slot) => slot.address).filter((address) => kept?.has(address) !== true));
      return [...gone].map((backend) => ({ address: server.address, port: server.port, backend }));
    });
}
