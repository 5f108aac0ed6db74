import { requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import { type ActivityRow, listActivity } from "../audit/list-activity.ts";
import { type ContainerRow, listContainers } from "../containers/read-containers.ts";
import type { ServiceContext } from "../context.ts";
import { listHosts } from "../hosts/list-hosts.ts";
import type { HostRow } from "../hosts/schemas.ts";

export type Attention = { severity: "critical" | "warning" | "info"; title: string; detail: string; href: string };

export type Overview = {
  hosts: { online: number; offline: number; never: number };
  containers: { running: number; paused: number; restarting: number; exited: number; created: number; dead: number };
  attention: Attention[];
  activity: ActivityRow[];
};

const ACTIVITY_ROWS = 10;
/** A disk this full will soon stop pulls, logs and databases. */
const DISK_WARNING = 0.9;
const SEVERITIES = ["critical", "warning", "info"] as const;

/** The first page: counts by state, what needs a look, what happened last. */
export async function getOverview(services: ServiceContext, actor: Actor): Promise<Overview> {
  requireUser(actor);
  const [hosts, containers, activity] = await Promise.all([
    listHosts(services, actor),
    listContainers(services, actor, {}),
    listActivity(services, actor, { limit: ACTIVITY_ROWS }),
  ]);
  return {
    hosts: { online: count(hosts, "online"), offline: count(hosts, "offline"), never: count(hosts, "never") },
    containers: countContainers(containers.items),
    attention: findAttention(hosts, containers.items),
    activity: activity.items,
  };
}

function count(hosts: readonly HostRow[], state: HostRow["state"]): number {
  return hosts.filter((host) => host.state === state).length;
}

function countContainers(containers: readonly ContainerRow[]): Overview["containers"] {
  const counts = { running: 0, paused: 0, restarting: 0, exited: 0, created: 0, dead: 0 };
  for (const { State: state } of containers) {
    if (state in counts) counts[state as keyof typeof counts] += 1;
  }
  return counts;
}

/** What somebody should look at, most urgent first. */
export function findAttention(hosts: readonly HostRow[], containers: readonly ContainerRow[]): Attention[] {
  const found = [...hosts.flatMap(attentionOfHost), ...containers.flatMap(attentionOfContainer)];
  return found.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

function attentionOfHost(host: HostRow): Attention[] {
  const href = `/hosts/${host.name}`;
  const found: Attention[] = [];
  if (host.flag !== null)
    found.push({
      severity: "critical",
      title: `${host.name}: ${host.flag}`,
      detail: "Give the host a new key if you did not expect this.",
      href,
    });
  if (host.state === "offline")
    found.push({ severity: "critical", title: `${host.name} is offline`, detail: `Last seen ${host.lastSeenAt ?? "never"}`, href });
  const { stats } = host;
  if (stats !== null && stats.diskTotalBytes > 0 && stats.diskUsedBytes / stats.diskTotalBytes > DISK_WARNING) {
    const percent = Math.round((100 * stats.diskUsedBytes) / stats.diskTotalBytes);
    found.push({
      severity: "warning",
      title: `${host.name}: disk is ${percent} % full`,
      detail: "Remove images and volumes that nobody uses.",
      href,
    });
  }
  return found;
}

function attentionOfContainer(container: ContainerRow): Attention[] {
  const name = (container.Names[0] ?? container.Id.slice(0, 12)).replace(/^\//, "");
  const href = `/containers/${container.host.name}/${name}`;
  const base = { detail: `${container.host.name} · ${container.Image}`, href };
  if (container.Status.includes("(unhealthy)")) return [{ severity: "critical", title: `${name} is unhealthy`, ...base }];
  if (container.State === "restarting") return [{ severity: "warning", title: `${name} restarts again and again`, ...base }];
  if (container.State === "dead") return [{ severity: "warning", title: `${name} could not be removed`, ...base }];
  return [];
}
