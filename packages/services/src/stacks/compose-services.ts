// The virtual servers of services in overlay networks: address, ports, and the replicas that serve.
import type { Attachment, Project, Service } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { MAX_SLOTS, NETWORK_SERVICE_KIND, type NetworkService, serviceResourceId } from "@flotilla/protocol";
import type { ComposeScene, HostComposer } from "../context.ts";
import { type OverlayRows, readTeamOverlays } from "../networks/overlay-rows.ts";
import { readReplicaRows } from "./compose-replicas.ts";
import { isOverlayPort } from "./ports.ts";
import { openProjects } from "./stack-model.ts";
import { readStackRows, type ReplicaRow, type ServiceRow, type StackRows } from "./stack-rows.ts";

/** Every service of the team in each of its networks; a host that has not said where its packets go is told nothing. */
export const networkServiceComposer: HostComposer = {
  kind: NETWORK_SERVICE_KIND,
  async compose({ host, once }) {
    if (!(await once(hasStacks))) return new Map<string, NetworkService>();
    const overlays = await once(readTeamOverlays);
    if (overlays.hosts.find(({ id }) => id === host.id)?.underlay == null) return new Map<string, NetworkService>();
    return once(composeTeam);
  },
};

/** Most teams that have none are not asked everything about them; a replica is of one. */
async function hasStacks({ tx, team, once }: ComposeScene): Promise<boolean> {
  const rows = [...(await once(readReplicaRows)).values()].flat();
  return rows.some(({ teamId }) => teamId === team.id) || (await tx.stack.count({ where: { teamId: team.id } })) > 0;
}

/** The same for all hosts of a team. */
async function composeTeam({ tx, team, once }: ComposeScene): Promise<ReadonlyMap<string, NetworkService>> {
  const overlays = await once(readTeamOverlays);
  const rows = await readStackRows(tx, team.id);
  const projects = await once(openProjects);
  const composed = new Map<string, NetworkService>();
  for (const stack of rows.stacks) {
    for (const service of stack.services) {
      const project = await projects.find(stack.id, service.target.revision);
      const isReadable = !(project instanceof FlotillaError);
      const made = isReadable ? composeService(service, { project, rows, overlays }) : composeUnreadable(service, { rows, overlays });
      for (const each of made) composed.set(serviceResourceId(each), each);
    }
  }
  return composed;
}

type Scene = { project: Project; rows: StackRows; overlays: OverlayRows };

/** One service, once for each of its networks. Pure; equal rows give equal bytes. */
export function composeService(service: ServiceRow, { project, rows, overlays }: Scene): NetworkService[] {
  const model = project.services[service.name];
  if (model === undefined) return [];
  return Object.entries(model.networks).flatMap(([key, attachment], index) => {
    const network = overlays.networks.find(({ name }) => name === (project.networks[key]?.name ?? key));
    if (network === undefined) return [];
    const ports = servedPorts(model);
    // A virtual address serves the ports that it knows of. Where none is said, names lead to the replicas themselves.
    const addresses =
      ports.length === 0 ? [] : service.addresses.flatMap(({ networkId, address }) => (networkId === network.id ? [address] : []));
    return [
      {
        networkId: network.id,
        id: service.id,
        names: namesOf(service.name, attachment),
        addresses,
        ports: (addresses.length === 0 ? [] : ports).map(({ protocol, target, published }) => ({
          protocol,
          port: target,
          targetPort: target,
          // Ports of all hosts lead to the first network: to one virtual server.
          publishedPort: index === 0 ? published : null,
        })),
        affinity: "none" as const,
        backends: backendsOf(service, { rows, overlays, networkId: network.id }),
      },
    ];
  });
}

type ServedPort = { protocol: "tcp" | "udp"; target: number; published: number | null };

/** Ports that a service is known to serve: published on every host, or said to be there (`expose`, `ports` without a published one). Pure. */
export function servedPorts(model: Pick<Service, "ports" | "expose">): ServedPort[] {
  const published = model.ports.flatMap((port): ServedPort[] => {
    if (port.protocol === "sctp") return [];
    const { target } = port;
    return [
      { protocol: port.protocol === "udp" ? "udp" : "tcp", target, published: isOverlayPort(port) ? (port.published ?? null) : null },
    ];
  });
  const exposed = model.expose.flatMap((text): ServedPort[] => {
    const [, number, protocol = "tcp"] = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(text) ?? [];
    return number === undefined ? [] : [{ protocol: protocol === "udp" ? "udp" : "tcp", target: Number(number), published: null }];
  });
  const keyOf = ({ protocol, target }: ServedPort): string => `${target}/${protocol}`;
  const known = new Map([...exposed, ...published.filter((port) => port.published === null)].map((port) => [keyOf(port), port]));
  for (const port of published) if (port.published !== null) known.delete(keyOf(port));
  return [...published.filter((port) => port.published !== null), ...known.values()];
}

/** A service whose revision cannot be read keeps its name in each network, which leads to its replicas; its aliases and ports are not known. Pure. */
export function composeUnreadable(service: ServiceRow, { rows, overlays }: Omit<Scene, "project">): NetworkService[] {
  return service.addresses.map(({ networkId }) => ({
    networkId,
    id: service.id,
    names: [service.name],
    addresses: [],
    ports: [],
    affinity: "none" as const,
    backends: backendsOf(service, { rows, overlays, networkId }),
  }));
}

const namesOf = (name: string, { aliases }: Attachment): string[] => [...new Set([name, ...aliases])];

type Backends = { rows: StackRows; overlays: OverlayRows; networkId: string };

/** Replicas that serve; what drains keeps what it has and gets nothing new. A host that is down serves nobody. */
function backendsOf(service: ServiceRow, { rows, overlays, networkId }: Backends): NetworkService["backends"] {
  const away = new Set(rows.hosts.filter(({ downSince }) => downSince !== null).map(({ id }) => id));
  const backends = service.replicas.flatMap((replica) => {
    const weight = weightOf(replica);
    if (weight === undefined || away.has(replica.hostId)) return [];
    const endpoints = overlays.observed.get(networkId)?.get(replica.hostId)?.endpoints ?? [];
    const address = endpoints.find(({ containerId }) => containerId === replica.observed?.containerId)?.address;
    return address === undefined ? [] : [{ address, weight }];
  });
  return backends.slice(0, MAX_SLOTS);
}

function weightOf({ state, observed }: ReplicaRow): number | undefined {
  if (observed?.phase !== "running") return undefined;
  return state === "run" ? 1 : state === "drain" ? 0 : undefined;
}
