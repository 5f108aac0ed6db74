import { orAbsent } from "../engine/lenient.ts";
import { z } from "zod";

export type StatsSample = {
  time: string;
  /** 100 is one processor. */
  cpuPercent: number;
  memoryBytes: number;
  memoryLimitBytes: number;
  netRxBytes: number;
  netTxBytes: number;
  blockReadBytes: number;
  blockWriteBytes: number;
  pids: number;
};

const usage = orAbsent(z.looseObject({ total_usage: orAbsent(z.number()), percpu_usage: orAbsent(z.array(z.number())) }));
const cpu = orAbsent(z.looseObject({ cpu_usage: usage, system_cpu_usage: orAbsent(z.number()), online_cpus: orAbsent(z.number()) }));
const ioEntry = z.looseObject({ op: z.string(), value: z.number() });

/** The part of Docker's stats answer that a chart needs. */
export const dockerStats = z.looseObject({
  read: orAbsent(z.string()),
  pids_stats: orAbsent(z.looseObject({ current: orAbsent(z.number()) })),
  cpu_stats: cpu,
  precpu_stats: cpu,
  memory_stats: orAbsent(
    z.looseObject({ usage: orAbsent(z.number()), limit: orAbsent(z.number()), stats: orAbsent(z.record(z.string(), z.number())) }),
  ),
  networks: orAbsent(z.record(z.string(), z.looseObject({ rx_bytes: orAbsent(z.number()), tx_bytes: orAbsent(z.number()) }))),
  blkio_stats: orAbsent(z.looseObject({ io_service_bytes_recursive: orAbsent(z.array(ioEntry)) })),
});
export type DockerStats = z.output<typeof dockerStats>;

/** The figures as `docker stats` computes them: CPU from the difference of two readings, memory without inactive page cache. */
export function toStatsSample(stats: DockerStats): StatsSample {
  const networks = Object.values(stats.networks ?? {});
  const io = stats.blkio_stats?.io_service_bytes_recursive ?? [];
  return {
    time: stats.read ?? "",
    cpuPercent: cpuPercent(stats),
    memoryBytes: memoryBytes(stats),
    memoryLimitBytes: stats.memory_stats?.limit ?? 0,
    netRxBytes: sum(networks.map((network) => network.rx_bytes ?? 0)),
    netTxBytes: sum(networks.map((network) => network.tx_bytes ?? 0)),
    blockReadBytes: sum(io.filter((entry) => entry.op.toLowerCase() === "read").map((entry) => entry.value)),
    blockWriteBytes: sum(io.filter((entry) => entry.op.toLowerCase() === "write").map((entry) => entry.value)),
    pids: stats.pids_stats?.current ?? 0,
  };
}

function cpuPercent(stats: DockerStats): number {
  const used = (stats.cpu_stats?.cpu_usage?.total_usage ?? 0) - (stats.precpu_stats?.cpu_usage?.total_usage ?? 0);
  const system = (stats.cpu_stats?.system_cpu_usage ?? 0) - (stats.precpu_stats?.system_cpu_usage ?? 0);
  if (used <= 0 || system <= 0 || stats.precpu_stats?.system_cpu_usage === undefined) return 0;
  const cpus = stats.cpu_stats?.online_cpus ?? stats.cpu_stats?.cpu_usage?.percpu_usage?.length ?? 1;
  return Math.round((used / system) * cpus * 10_000) / 100;
}

function memoryBytes(stats: DockerStats): number {
  const total = stats.memory_stats?.usage ?? 0;
  // cgroup v1 calls it total_inactive_file, v2 inactive_file.
  const cache = stats.memory_stats?.stats?.["total_inactive_file"] ?? stats.memory_stats?.stats?.["inactive_file"] ?? 0;
  return cache < total ? total - cache : total;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
