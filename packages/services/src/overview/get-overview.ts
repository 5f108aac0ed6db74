import { requireUser } from "../access/authorize.ts";
import type { Actor } from "../access/actor.ts";
import { type ActivityRow, listActivity } from "../audit/list-activity.ts";
import { type ContainerRow, listContainers } from "../containers/read-containers.ts";
import type { ServiceContext } from "../context.ts";
import { listHosts } from "../hosts/list-hosts.ts";
import type { HostRow } from "../hosts/schemas.ts";

/** What is wrong, with the values that a page puts into its own words: nothing here is a sentence in some language. */
export type AttentionCause =
  | { code: "hostFlagged"; host: string; flag: string }
  | { code: "hostOffline"; host: string; lastSeenAt: string | null }
  | { code: "diskFull"; host: string; percent: number }
  | { code: "unhealthy" | "restarting" | "dead"; host: string; container: string; image: string }
  | { code: "crashed"; host: string; container: string; image: string; exitCode: number };

export type Attention = AttentionCause & { severity: "critical" | "warning" | "info"; href: string };

export type Overview = {
  hosts: { online: number; offline: number; never: number };
  containers: { running: number; paused: number; restarting: number; exited: number; created: number; dead: number };
  attention: Attention[];
  activity: ActivityRow[];
};

const ACTIVITY_ROWS = 10;
/** A disk this full will soon stop pulls, logs and databases. */
const DISK_WARNING = 0.9;
/** 0 is a good end; 130, 137 and 143 are what a program ends with when somebody stops or kills it. */
const ENDED_ON_REQUEST: ReadonlySet<number> = new Set([0, 130, 137, 143]);
const SEVERITIES = ["critical", "warning", "info"] as const;

/** The first page: counts by state, what needs a look, what happened last: as much of it as the caller may see. */
export async function getOverview(services: ServiceContext, actor: Actor): Promise<Overview> {
  const { rights } = requireUser(actor);
  const [hosts, containers, activity] = await Promise.all([
    listHosts(services, actor),
    rights.has("container.read") ? listContainers(services, actor, {}) : { items: [] },
    rights.has("audit.read") ? listActivity(services, actor, { limit: ACTIVITY_ROWS }) : { items: [] },
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

function attentionOfHost({ name: host, state, flag, lastSeenAt, stats }: HostRow): Attention[] {
  const href = `/hosts/${host}`;
  const found: Attention[] = [];
  if (flag !== null) found.push({ code: "hostFlagged", severity: "critical", host, flag, href });
  if (state === "offline") found.push({ code: "hostOffline", severity: "critical", host, lastSeenAt, href });
  if (stats !== null && stats.diskTotalBytes > 0 && stats.diskUsedBytes / stats.diskTotalBytes > DISK_WARNING) {
    const percent = Math.round((100 * stats.diskUsedBytes) / stats.diskTotalBytes);
    found.push({ code: "diskFull", severity: "warning", host, percent, href });
  }
  return found;
}

function attentionOfContainer(row: ContainerRow): Attention[] {
  const container = (row.Names[0] ?? row.Id.slice(0, 12)).replace(/^\//, "");
  const facts = { host: row.host.name, container, image: row.Image, href: `/containers/${row.host.name}/${container}` };
  if (row.Status.includes("(unhealthy)")) return [{ code: "unhealthy", severity: "critical", ...facts }];
  if (row.State === "restarting") return [{ code: "restarting", severity: "warning", ...facts }];
  if (row.State === "dead") return [{ code: "dead", severity: "warning", ...facts }];
  const exitCode = Number(/^Exited \((\d+)\)/.exec(row.Status)?.[1] ?? "0");
  if (row.State === "exited" && !ENDED_ON_REQUEST.has(exitCode)) return [{ code: "crashed", severity: "warning", ...facts, exitCode }];
  return [];
}
