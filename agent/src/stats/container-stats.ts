import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import type { ContainerView } from "../engine/containers-port.ts";
import type { CgroupLayout } from "../host/cgroup.ts";
import { readCgroupCounters, type CgroupCounters } from "./cgroup-counters.ts";
import { readNetworkCounters, type InterfaceCounters } from "./network-counters.ts";

/** One look at a running container. */
export type Sample = {
  readAt: string;
  counters: CgroupCounters;
  networks: Record<string, InterfaceCounters> | undefined;
  /** Time that all processors of the machine have spent, idle included. */
  systemCpuNs: number;
};

const NEVER = "0001-01-01T00:00:00Z";
const NS_PER_TICK = 10_000_000;

export function takeSample(layout: CgroupLayout, view: ContainerView): Sample {
  return {
    readAt: new Date().toISOString(),
    counters: readCgroupCounters(layout, view.cgroupPath),
    // On the host's network the counters would be the machine's.
    networks: view.hostConfig.NetworkMode === "host" ? undefined : readNetworkCounters(view.pid),
    systemCpuNs: parseSystemCpuNs(readFileSync("/proc/stat", "utf8")),
  };
}

/** Sum of user, nice, system, idle, iowait, irq and softirq of the first line of /proc/stat: Docker's system_cpu_usage. */
export function parseSystemCpuNs(text: string): number {
  const fields = /^cpu\s+(.*)$/m.exec(text)?.[1]?.split(/\s+/) ?? [];
  return fields.slice(0, 7).reduce((sum, field) => sum + Number(field), 0) * NS_PER_TICK;
}

/**
 * Docker's answer of `GET /containers/{id}/stats`. Without a sample the container does not run; without one before it,
 * precpu_stats are zero.
 */
export function formatStats(view: ContainerView, sample: Sample | undefined, before: Sample | undefined): Record<string, unknown> {
  return {
    name: `/${view.name}`,
    id: view.id,
    read: sample?.readAt ?? NEVER,
    preread: before?.readAt ?? NEVER,
    pids_stats: sample === undefined ? {} : formatPids(sample.counters),
    blkio_stats: formatBlkio(sample?.counters),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: formatCpu(sample),
    precpu_stats: formatCpu(before),
    memory_stats: sample === undefined ? {} : formatMemory(sample.counters),
    ...(sample?.networks === undefined ? {} : { networks: sample.networks }),
  };
}

/** No limit is left out: Docker sends 2^64 - 1, which JSON numbers of JavaScript cannot carry. */
function formatPids({ processes }: CgroupCounters): Record<string, number> {
  return { current: processes.current, ...(processes.limit === undefined ? {} : { limit: processes.limit }) };
}

function formatCpu(sample: Sample | undefined): Record<string, unknown> {
  const cpu = sample?.counters.cpu;
  const throttling = sample?.counters.throttling;
  return {
    cpu_usage: {
      total_usage: cpu?.totalNs ?? 0,
      ...(cpu?.perCpuNs === undefined ? {} : { percpu_usage: cpu.perCpuNs }),
      usage_in_kernelmode: cpu?.kernelNs ?? 0,
      usage_in_usermode: cpu?.userNs ?? 0,
    },
    ...(sample === undefined ? {} : { system_cpu_usage: sample.systemCpuNs, online_cpus: availableParallelism() }),
    throttling_data: {
      periods: throttling?.periods ?? 0,
      throttled_periods: throttling?.throttledPeriods ?? 0,
      throttled_time: throttling?.throttledNs ?? 0,
    },
  };
}

function formatMemory({ memory }: CgroupCounters): Record<string, unknown> {
  return {
    usage: memory.usageBytes,
    ...(memory.maxUsageBytes === undefined ? {} : { max_usage: memory.maxUsageBytes }),
    stats: memory.stats,
    ...(memory.failures === undefined ? {} : { failcnt: memory.failures }),
    // Without a limit of its own a container is limited by the machine.
    limit: Math.min(memory.limitBytes, totalmem()),
  };
}

function formatBlkio(counters: CgroupCounters | undefined): Record<string, unknown> {
  const orNull = (list: readonly unknown[] | undefined): readonly unknown[] | null =>
    list === undefined || list.length === 0 ? null : list;
  return {
    io_service_bytes_recursive: orNull(counters?.blockBytes),
    io_serviced_recursive: orNull(counters?.blockOperations),
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  };
}
