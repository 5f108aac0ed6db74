import type { Tone } from "./container-state.ts";

export type HostState = "online" | "offline" | "never";

const TONES: Readonly<Record<HostState, Tone>> = { online: "ok", offline: "bad", never: "idle" };

export function hostTone(state: HostState): Tone {
  return TONES[state];
}

export const AVAILABILITIES = ["active", "cordon", "drain"] as const;
export type Availability = (typeof AVAILABILITIES)[number];

const AVAILABILITY_TONES: Readonly<Record<Availability, Tone>> = { active: "ok", cordon: "warn", drain: "warn" };

export function availabilityTone(availability: Availability): Tone {
  return AVAILABILITY_TONES[availability];
}

/** A share in percent; 0 when the whole is not known. */
export function percentOf(part: number, whole: number): number {
  return whole > 0 ? (part / whole) * 100 : 0;
}

export type Capacity = {
  hosts: number;
  cpus: number;
  cpuPercent: number;
  memoryUsedBytes: number;
  memoryTotalBytes: number;
  diskUsedBytes: number;
  diskTotalBytes: number;
};

type Measured = {
  cpus: number | null;
  stats: Pick<Capacity, "cpuPercent" | "memoryUsedBytes" | "memoryTotalBytes" | "diskUsedBytes" | "diskTotalBytes"> | null;
};

/** What the hosts that answer have together. CPU is weighted by their cores. */
export function totalCapacity(hosts: readonly Measured[]): Capacity {
  const total: Capacity = {
    hosts: 0,
    cpus: 0,
    cpuPercent: 0,
    memoryUsedBytes: 0,
    memoryTotalBytes: 0,
    diskUsedBytes: 0,
    diskTotalBytes: 0,
  };
  let busyCpus = 0;
  for (const { cpus, stats } of hosts) {
    if (stats === null) continue;
    total.hosts += 1;
    total.cpus += cpus ?? 0;
    busyCpus += ((cpus ?? 0) * stats.cpuPercent) / 100;
    total.memoryUsedBytes += stats.memoryUsedBytes;
    total.memoryTotalBytes += stats.memoryTotalBytes;
    total.diskUsedBytes += stats.diskUsedBytes;
    total.diskTotalBytes += stats.diskTotalBytes;
  }
  return { ...total, cpuPercent: percentOf(busyCpus, total.cpus) };
}
