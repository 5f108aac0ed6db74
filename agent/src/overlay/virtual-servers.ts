// Services and published ports as what the balancer knows: an address, a port, and slots of backends. Pure.
import type { NetworkState, OverlayService } from "@flotilla/protocol";
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

/** Only servers that have a backend: an address without one refuses its callers. */
export function planServers(
  state: NetworkState,
  local: { uplinkAddress: string | undefined; ports: readonly RouterPort[] },
): VirtualServer[] {
  const services = state.services.flatMap((service) =>
    service.ports.flatMap((port) => [
      ...service.addresses.map((address) =>
        toServer(service, { address, port: port.port, targetPort: port.targetPort, protocol: port.protocol }),
      ),
      ...(port.publishedPort === null || local.uplinkAddress === undefined
        ? []
        : [
            toServer(service, {
              address: local.uplinkAddress,
              port: port.publishedPort,
              targetPort: port.targetPort,
              protocol: port.protocol,
            }),
          ]),
    ]),
  );
  const published = local.ports.flatMap((port): VirtualServer[] => {
    if (local.uplinkAddress === undefined || port.protocol === "sctp") return [];
    const slots = [{ address: port.containerAddress, port: port.containerPort }];
    return [{ address: local.uplinkAddress, protocol: port.protocol, port: port.hostPort, slots, isSticky: false }];
  });
  return [...services, ...published].filter((server) => server.slots.length > 0);
}

function toServer(
  service: OverlayService,
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
