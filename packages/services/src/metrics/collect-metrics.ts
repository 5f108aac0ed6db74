import { toFlotillaError } from "@flotilla/core";
import { z } from "zod";
import type { Actor, UserActor } from "../access/actor.ts";
import { authorize, requireUser } from "../access/authorize.ts";
import { type ContainerRow, listContainers, segment } from "../containers/read-containers.ts";
import { dockerStats, toStatsSample } from "../containers/stats-sample.ts";
import type { ServiceContext } from "../context.ts";
import { openHost } from "../engine/ask-hosts.ts";
import { engineJson } from "../engine/engine-call.ts";
import { listHosts } from "../hosts/list-hosts.ts";
import type { HostRow } from "../hosts/schemas.ts";
import { type Family, family } from "./families.ts";

/** A scrape measures no more running containers than this, and asks so many at once. */
const MAX_MEASURED = 1_000;
const AT_ONCE = 16;

type Measured = { cpuSeconds: number; memoryBytes: number; memoryLimitBytes: number; rxBytes: number; txBytes: number; restarts: number };
type Container = { labels: Record<string, string>; isRunning: boolean; measured: Measured | null };

const restartCount = z.looseObject({ RestartCount: z.number().default(0) });

/**
 * Hosts and containers of the caller's team that they may see, for Prometheus. Each running container costs two calls of its
 * engine (a single reading, and its restarts); the caller keeps the answer for some seconds.
 */
export async function collectMetrics(services: ServiceContext, actor: Actor): Promise<Family[]> {
  const user = requireUser(actor);
  const team = { kind: "team" as const, id: user.team.id, name: user.team.name, teamId: user.team.id };
  await authorize(services, user, { action: "metrics.read", object: team });
  const [hosts, found] = await Promise.all([listHosts(services, user), listContainers(services, user, {})]);
  const running = found.items.filter(({ State }) => State === "running").slice(0, MAX_MEASURED);
  const measured = await measureAll(services, user, running);
  const containers = found.items.map((row): Container => {
    return { labels: labelsOf(row), isRunning: row.State === "running", measured: measured.get(keyOf(row)) ?? null };
  });
  return [...hostFamilies(hosts), ...containerFamilies(containers)];
}

function keyOf(row: ContainerRow): string {
  return `${row.host.id}/${row.Id}`;
}

function labelsOf({ host, Id, Names, Image }: ContainerRow): Record<string, string> {
  return { host: host.name, name: (Names?.[0] ?? "").replace(/^\//, ""), id: Id.slice(0, 12), image: Image };
}

async function measureAll(services: ServiceContext, actor: UserActor, rows: readonly ContainerRow[]): Promise<Map<string, Measured>> {
  const measured = new Map<string, Measured>();
  const next = rows.values();
  const work = async (): Promise<void> => {
    for (const row of next) {
      try {
        measured.set(keyOf(row), await measure(services, actor, row));
      } catch (error) {
        // It ended meanwhile, or its host is slow: the others are told all the same.
        services.logger.debug("container could not be measured", { id: row.Id, error: toFlotillaError(error).message });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return measured;
}

async function measure(services: ServiceContext, actor: UserActor, row: ContainerRow): Promise<Measured> {
  const { link, namespace } = await openHost(services, actor, row.host.id);
  const path = `/containers/${segment(row.Id)}`;
  const call = { namespace, method: "GET", timeoutMs: 5_000 };
  const [stats, { RestartCount: restarts }] = await Promise.all([
    engineJson(link, { ...call, path: `${path}/stats?stream=0&one-shot=1` }, dockerStats),
    engineJson(link, { ...call, path: `${path}/json` }, restartCount),
  ]);
  const { memoryBytes, memoryLimitBytes, netRxBytes: rxBytes, netTxBytes: txBytes } = toStatsSample(stats);
  return { cpuSeconds: (stats.cpu_stats?.cpu_usage?.total_usage ?? 0) / 1e9, memoryBytes, memoryLimitBytes, rxBytes, txBytes, restarts };
}

function hostFamilies(hosts: readonly HostRow[]): Family[] {
  const gauge = (name: string, help: string, read: (host: HostRow) => number | null | undefined): Family =>
    family({ name: `flotilla_host_${name}`, help, type: "gauge" }, hosts, (host) => ({ labels: { host: host.name }, value: read(host) }));
  return [
    gauge("up", "Whether the host's agent is connected.", (host) => (host.state === "online" ? 1 : 0)),
    gauge("cpu_percent", "CPU in use, of all processors.", (host) => host.stats?.cpuPercent),
    gauge("memory_used_bytes", "Memory in use.", (host) => host.stats?.memoryUsedBytes),
    gauge("memory_total_bytes", "Memory.", (host) => host.stats?.memoryTotalBytes),
    gauge("disk_used_bytes", "Disk in use where the engine keeps its data.", (host) => host.stats?.diskUsedBytes),
    gauge("disk_total_bytes", "Disk where the engine keeps its data.", (host) => host.stats?.diskTotalBytes),
    gauge("containers_running", "Containers of all teams that run.", (host) => host.stats?.containersRunning),
  ];
}

function containerFamilies(containers: readonly Container[]): Family[] {
  const make = (type: Family["type"], name: string, help: string) => (read: (measured: Measured) => number) =>
    family({ name: `flotilla_container_${name}`, help, type }, containers, ({ labels, measured }) => {
      return { labels, value: measured === null ? null : read(measured) };
    });
  return [
    family({ name: "flotilla_container_running", help: "Whether it runs.", type: "gauge" }, containers, ({ labels, isRunning }) => {
      return { labels, value: isRunning ? 1 : 0 };
    }),
    make("counter", "cpu_seconds_total", "CPU time.")((measured) => measured.cpuSeconds),
    make("gauge", "memory_bytes", "Memory in use, without inactive page cache.")((measured) => measured.memoryBytes),
    make("gauge", "memory_limit_bytes", "Memory that it may use.")((measured) => measured.memoryLimitBytes),
    make("counter", "network_receive_bytes_total", "Bytes received, of all networks.")((measured) => measured.rxBytes),
    make("counter", "network_transmit_bytes_total", "Bytes sent, of all networks.")((measured) => measured.txBytes),
    make("counter", "restarts_total", "Restarts by its policy.")((measured) => measured.restarts),
  ];
}
