// The virtual servers of services in overlay networks: address, ports, and the replicas that serve.
import type { Transaction } from "@flotilla/db";
import { MAX_SLOTS, type OverlayService } from "@flotilla/protocol";
import type { ServiceContext } from "../context.ts";
import { isOverlayPort } from "./ports.ts";
import { Projects } from "./stack-model.ts";
import { readStackRows, type ReplicaRow, type ServiceRow, type StackRows } from "./stack-rows.ts";

/** Where a container of a host is in a network; undefined: its host has not said so. */
export type FindAddress = (at: { networkId: string; hostId: string; containerId: string }) => string | undefined;

type Input = {
  services: ServiceContext;
  tx: Transaction;
  teamId: string;
  networks: readonly { id: string; name: string }[];
  addressOf: FindAddress;
};

/** By id of the network. Equal rows give equal bytes. */
export async function composeNetworkServices({ services, tx, teamId, networks, addressOf }: Input): Promise<Map<string, OverlayService[]>> {
  const composed = new Map<string, OverlayService[]>();
  if ((await tx.stack.count({ where: { teamId } })) === 0) return composed;
  const rows = await readStackRows(tx, teamId);
  const projects = new Projects(services, tx);
  for (const stack of rows.stacks) {
    for (const service of stack.services) {
      const project = await projects.get(stack.id, service.target.revision);
      const model = project.services[service.name];
      if (model === undefined) continue;
      const keys = Object.keys(model.networks);
      for (const [index, key] of keys.entries()) {
        const network = networks.find(({ name }) => name === (project.networks[key]?.name ?? key));
        if (network === undefined) continue;
        const addresses = service.addresses.flatMap(({ networkId, address }) => (networkId === network.id ? [address] : []));
        // Ports of all hosts lead to the first network: to one virtual server.
        const ports = addresses.length === 0 || index > 0 ? [] : model.ports.filter(isOverlayPort);
        const backends = backendsOf(service, { rows, addressOf: (replica) => addressOf({ networkId: network.id, ...replica }) });
        const list = composed.get(network.id) ?? [];
        composed.set(network.id, list);
        list.push({
          id: service.name,
          addresses,
          ports: ports.map(({ protocol, target, published }) => ({
            protocol: protocol === "udp" ? "udp" : "tcp",
            port: target,
            targetPort: target,
            publishedPort: published ?? null,
          })),
          affinity: "none",
          backends,
        });
      }
    }
  }
  return composed;
}

type Backends = { rows: StackRows; addressOf: (replica: { hostId: string; containerId: string }) => string | undefined };

/** Replicas that serve; what drains keeps what it has and gets nothing new. A host that is down serves nobody. */
function backendsOf(service: ServiceRow, { rows, addressOf }: Backends): OverlayService["backends"] {
  const away = new Set(rows.hosts.filter(({ downSince }) => downSince !== null).map(({ id }) => id));
  const weightOf = ({ state, observed }: ReplicaRow): number | undefined => {
    if (observed?.phase !== "running") return undefined;
    return state === "run" ? 1 : state === "drain" ? 0 : undefined;
  };
  return service.replicas
    .flatMap((replica) => {
      const { hostId, observed } = replica;
      const weight = weightOf(replica);
      if (weight === undefined || away.has(hostId) || observed?.containerId == null) return [];
      const address = addressOf({ hostId, containerId: observed.containerId });
      return address === undefined ? [] : [{ address, weight }];
    })
    .slice(0, MAX_SLOTS);
}
