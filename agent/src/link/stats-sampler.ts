import { readFileSync, statfsSync } from "node:fs";
import { cpus } from "node:os";
import type { HostStats } from "@flotilla/protocol";

export type ContainerCounts = { running: number; total: number };

type CpuTimes = { busy: number; total: number };

/** Measures this machine; CPU use is of the time since the sample before. */
export class StatsSampler {
  readonly #dataDir: string;
  readonly #countContainers: () => ContainerCounts;
  #last: CpuTimes;

  /** @param dataDir the file system that is reported as the host's disk. */
  constructor(dataDir: string, countContainers: () => ContainerCounts) {
    this.#dataDir = dataDir;
    this.#countContainers = countContainers;
    this.#last = readCpuTimes();
  }

  sample(): HostStats {
    const now = readCpuTimes();
    const total = now.total - this.#last.total;
    const busy = now.busy - this.#last.busy;
    this.#last = now;
    const memory = parseMemory(readFileSync("/proc/meminfo", "utf8"));
    const disk = statfsSync(this.#dataDir);
    const counts = this.#countContainers();
    return {
      cpuPercent: total <= 0 ? 0 : Math.min(100, Math.max(0, Math.round((1000 * busy) / total) / 10)),
      memoryUsedBytes: memory.totalBytes - memory.availableBytes,
      memoryTotalBytes: memory.totalBytes,
      diskUsedBytes: (disk.blocks - disk.bfree) * disk.bsize,
      // As df(1): what root keeps for itself counts as neither used nor free.
      diskTotalBytes: (disk.blocks - disk.bfree + disk.bavail) * disk.bsize,
      containersRunning: counts.running,
      containersTotal: counts.total,
    };
  }
}

function readCpuTimes(): CpuTimes {
  const times = cpus().map((cpu) => cpu.times);
  const idle = times.reduce((sum, time) => sum + time.idle, 0);
  const total = times.reduce((sum, time) => sum + time.user + time.nice + time.sys + time.irq + time.idle, 0);
  return { busy: total - idle, total };
}

/** MemTotal and MemAvailable of proc_meminfo(5), in bytes. */
export function parseMemory(text: string): { totalBytes: number; availableBytes: number } {
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
  const totalBytes = kib("MemTotal") * 1024;
  return { totalBytes, availableBytes: Math.min(totalBytes, kib("MemAvailable") * 1024) };
}
