// Every published port of the team's hosts, as their engines tell.
import type { ContainerSummary } from "@flotilla/engine-api";
import type { Actor } from "../access/actor.ts";
import { requireUser } from "../access/authorize.ts";
import { listContainers } from "../containers/read-containers.ts";
import type { ServiceContext } from "../context.ts";
import type { HostBrief } from "../engine/ask-hosts.ts";
import { readOverlayRows } from "./overlay-rows.ts";

export type PortRow = {
  host: HostBrief;
  /** As it was bound: `0.0.0.0` is every address of the host. */
  address: string;
  port: number;
  protocol: string;
  containerId: string;
  container: string;
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
  return { items: describePorts(found.items, underlays), errors: found.errors };
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
  return rows.filter((row) => !isTwin(row)).toSorted((a, b) => a.port - b.port || (a.host.name < b.host.name ? -1 : 1));
}

function samePort(a: PortRow, b: PortRow): boolean {
  return a.host.id === b.host.id && a.containerId === b.containerId && a.port === b.port && a.protocol === b.protocol;
}
