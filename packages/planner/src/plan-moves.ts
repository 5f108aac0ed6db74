// Rebalancing: which replicas to move so that hosts have about the same number again. Pure.
import { refusalOf } from "./explain.ts";
import { HostUse } from "./host-use.ts";
import { type Reason, reason } from "./reason.ts";
import type { ScheduleHost, ServiceDemand } from "./schedule-types.ts";

/** A replica that may be moved. One with a volume never is: its data would stay behind. */
export type MovableReplica = { id: string; serviceId: string; hostId: string };
export type Move = { replicaId: string; fromHostId: string; toHostId: string; because: Reason };
export type MovesInput = { hosts: readonly ScheduleHost[]; services: readonly ServiceDemand[]; replicas: readonly MovableReplica[] };

/**
 * Moves replicas of the services that are crowded on some hosts while others have two fewer. A move makes the spread of its service better,
 * never worse, so planning again after the moves gives none.
 */
export function planMoves({ hosts, services, replicas }: MovesInput): Move[] {
  const ordered = hosts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const uses = new Map(ordered.map((host, order) => [host.id, new HostUse(host, order)]));
  const byId = new Map(services.map((service) => [service.id, service]));
  for (const { serviceId, hostId } of replicas) {
    const service = byId.get(serviceId);
    if (service !== undefined) uses.get(hostId)?.add(service);
  }
  const moves: Move[] = [];
  for (const service of services) {
    if (service.strategy !== "spread" || service.volumes.length > 0) continue;
    const own = replicas.filter((replica) => replica.serviceId === service.id).toSorted((a, b) => (a.id < b.id ? 1 : -1));
    moves.push(...movesOf(service, own, [...uses.values()]));
  }
  return moves;
}

function movesOf(service: ServiceDemand, own: readonly MovableReplica[], uses: readonly HostUse[]): Move[] {
  const moves: Move[] = [];
  const counts = new Map(uses.map((use) => [use.host.id, use.countOf(service)]));
  const left = [...own];
  const countOf = (id: string): number => counts.get(id) ?? 0;
  for (;;) {
    const open = uses.filter((use) => refusalOf(use, service) === undefined);
    const target = open.toSorted((a, b) => countOf(a.host.id) - countOf(b.host.id) || a.load - b.load || a.order - b.order)[0];
    const source = uses.toSorted((a, b) => countOf(b.host.id) - countOf(a.host.id) || b.load - a.load || a.order - b.order)[0];
    if (target === undefined || source === undefined || countOf(source.host.id) - countOf(target.host.id) < 2) return moves;
    const at = left.findIndex(({ hostId }) => hostId === source.host.id);
    const [replica] = at === -1 ? [] : left.splice(at, 1);
    if (replica === undefined) return moves;
    target.add(service);
    const [from, to] = [source.host.name, target.host.name];
    const because = reason("crowded", {
      service: service.name,
      from,
      fromCount: countOf(source.host.id),
      to,
      toCount: countOf(target.host.id),
    });
    counts.set(source.host.id, countOf(source.host.id) - 1).set(target.host.id, countOf(target.host.id) + 1);
    moves.push({ replicaId: replica.id, fromHostId: source.host.id, toHostId: target.host.id, because });
  }
}
