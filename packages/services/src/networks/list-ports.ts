// Every published port of the team's hosts: of containers as their engines tell, of services as their stacks say.
import type { ContainerSummary } from "@flotilla/engine-api";
import type { NetworkService } from "@flotilla/protocol";
import type { Actor } from "../access/actor.ts";
import { requireUser } from "../access/authorize.ts";
import { listContainers } from "../containers/read-containers.ts";
import type { ServiceContext } from "../context.ts";
import type { HostBrief } from "../engine/ask-hosts.ts";
import { composeService } from "../stacks/compose-services.ts";
import { Projects } from "../stacks/stack-model.ts";
import { readStackRows } from "../stacks/stack-rows.ts";
import { type OverlayRows, readOverlayRows } from "./overlay-rows.ts";

export type PortRow = {
  /** null: every host, and what answers is a replica on any of them. */
  host: HostBrief | null;
  /** As it was bound: `0.0.0.0` is every address of the host. */
  address: string;
  port: number;
  protocol: string;
  /** null for a service's port. */
  containerId: string | null;
  container: string | null;
  containerPort: number;
  /** The container's stack and service, when it was made by one; null otherwise. */
  stack: string | null;
  service: string | null;
  isRunning: boolean;
  /** Where a browser of the caller may find it: the host's address for its peers, unless the port is bound to another one. */
  reachableAt: string | null;
};

export type PortList = { items: PortRow[]; errors: { host: HostBrief; message: string }[] };

const EVERYWHERE = new Set(["0.0.0.0", "::", ""]);
const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";

export async function listPorts(services: ServiceContext, actor: Actor, input: { host?: string | undefined }): Promise<PortList> {
  const { team } = requireUser(actor);
  const [found, rows] = await Promise.all([
    listContainers(services, actor, input),
    services.prisma.$transaction((tx) => readOverlayRows(tx, team.id)),
  ]);
  const underlays = new Map(rows.hosts.map(({ id, underlay }) => [id, underlay?.address ?? null]));
  const items = [...describePorts(found.items, underlays), ...(await listServicePorts(services, team.id, rows))];
  return { items: items.toSorted((a, b) => a.port - b.port), errors: found.errors };
}

/** Ports that every host publishes, with a name for each of their services. */
async function listServicePorts(services: ServiceContext, teamId: string, overlays: OverlayRows): Promise<PortRow[]> {
  return services.prisma.$transaction(async (tx) => {
    const rows = await readStackRows(tx, teamId);
    const projects = new Projects(services, tx);
    const found: PortRow[] = [];
    for (const stack of rows.stacks) {
      for (const service of stack.services) {
        // A stack that cannot be read says so on its own page, and hides nobody's ports here.
        const project = await projects.get(stack.id, service.target.revision).catch(() => undefined);
        const composed = project === undefined ? [] : composeService(service, { project, rows, overlays });
        found.push(...describeServicePorts(composed, { stack: stack.name, service: service.name }));
      }
    }
    return found;
  });
}

/** Pure. */
export function describeServicePorts(
  composed: readonly Pick<NetworkService, "ports" | "backends">[],
  names: { stack: string; service: string },
): PortRow[] {
  return composed.flatMap(({ ports, backends }) =>
    ports.flatMap(({ protocol, targetPort, publishedPort }): PortRow[] => {
      if (publishedPort === null) return [];
      const isRunning = backends.some(({ weight }) => weight > 0);
      const nobody = { host: null, containerId: null, container: null, reachableAt: null };
      return [{ ...nobody, ...names, address: "", port: publishedPort, protocol, containerPort: targetPort, isRunning }];
    }),
  );
}

type Row = Pick<ContainerSummary, "Id" | "Names" | "Ports" | "Labels" | "State"> & { host: HostBrief };

/** Pure. By port, then host; one that is bound for both families is one row. */
export function describePorts(containers: readonly Row[], underlays: ReadonlyMap<string, string | null>): PortRow[] {
  const rows = containers.flatMap(({ host, Id, Names, Ports, Labels, State }) =>
    Ports.flatMap((port): PortRow[] => {
      if (port.PublicPort === undefined) return [];
      const address = port.IP ?? "";
      return [
        {
          host,
          address,
          port: port.PublicPort,
          protocol: port.Type,
          containerId: Id,
          container: (Names[0] ?? Id.slice(0, 12)).replace(/^\//, ""),
          containerPort: port.PrivatePort,
          stack: Labels["com.docker.compose.project"] ?? Labels["com.docker.stack.namespace"] ?? null,
          service: Labels["com.docker.compose.service"] ?? Labels["com.docker.swarm.service.name"] ?? null,
          isRunning: State === "running",
          reachableAt: EVERYWHERE.has(address) ? (underlays.get(host.id) ?? null) : isLoopback(address) ? null : address,
        },
      ];
    }),
  );
  const isTwin = (row: PortRow): boolean =>
    row.address === "::" && rows.some((other) => other.address === "0.0.0.0" && samePort(row, other));
  return rows.filter((row) => !isTwin(row)).toSorted((a, b) => a.port - b.port || ((a.host?.name ?? "") < (b.host?.name ?? "") ? -1 : 1));
}

function samePort(a: PortRow, b: PortRow): boolean {
  return a.host?.id === b.host?.id && a.containerId === b.containerId && a.port === b.port && a.protocol === b.protocol;
}
