import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CgroupLayout, controllerDir } from "../host/cgroup.ts";

export type BlockCounter = { major: number; minor: number; op: string; value: number };

/** What the kernel has counted for a container. Times in nanoseconds, sizes in bytes. */
export type CgroupCounters = {
  cpu: { totalNs: number; kernelNs: number; userNs: number; perCpuNs: number[] | undefined };
  throttling: { periods: number; throttledPeriods: number; throttledNs: number };
  memory: {
    usageBytes: number;
    maxUsageBytes: number | undefined;
    limitBytes: number;
    failures: number | undefined;
    stats: Record<string, number>;
  };
  blockBytes: BlockCounter[];
  blockOperations: BlockCounter[];
  processes: { current: number; limit: number | undefined };
};

const NS_PER_US = 1_000;
/** USER_HZ is 100 on every architecture that Linux offers to user space (time(7)). */
const NS_PER_TICK = 10_000_000;

/** Reads the counters of a cgroup on either kind of hierarchy. What the machine lacks, or what has just gone, counts 0. */
export function readCgroupCounters(layout: CgroupLayout, path: string): CgroupCounters {
  return layout.mode === "v2" ? readV2(layout, path) : readV1(layout, path);
}

function readV1(layout: CgroupLayout, path: string): CgroupCounters {
  const file = (controller: string, name: string): string => {
    const dir = controllerDir(layout, controller, path);
    return dir === undefined ? "" : readOr(join(dir, name));
  };
  const times = parsePairs(file("cpuacct", "cpuacct.stat"));
  const throttled = parsePairs(file("cpu", "cpu.stat"));
  return {
    cpu: {
      totalNs: toNumber(file("cpuacct", "cpuacct.usage")),
      kernelNs: (times["system"] ?? 0) * NS_PER_TICK,
      userNs: (times["user"] ?? 0) * NS_PER_TICK,
      perCpuNs: file("cpuacct", "cpuacct.usage_percpu").split(/\s+/).filter(isText).map(Number),
    },
    throttling: toThrottling(throttled, throttled["throttled_time"] ?? 0),
    memory: {
      usageBytes: toNumber(file("memory", "memory.usage_in_bytes")),
      maxUsageBytes: toNumber(file("memory", "memory.max_usage_in_bytes")),
      limitBytes: toNumber(file("memory", "memory.limit_in_bytes")),
      failures: toNumber(file("memory", "memory.failcnt")),
      stats: parsePairs(file("memory", "memory.stat")),
    },
    blockBytes: parseBlkio(file("blkio", "blkio.throttle.io_service_bytes_recursive")),
    blockOperations: parseBlkio(file("blkio", "blkio.throttle.io_serviced_recursive")),
    processes: { current: toNumber(file("pids", "pids.current")), limit: toLimit(file("pids", "pids.max")) },
  };
}

function readV2(layout: CgroupLayout, path: string): CgroupCounters {
  const dir = controllerDir(layout, "memory", path) ?? "";
  const file = (name: string): string => readOr(join(dir, name));
  const cpu = parsePairs(file("cpu.stat"));
  return {
    cpu: {
      totalNs: (cpu["usage_usec"] ?? 0) * NS_PER_US,
      kernelNs: (cpu["system_usec"] ?? 0) * NS_PER_US,
      userNs: (cpu["user_usec"] ?? 0) * NS_PER_US,
      perCpuNs: undefined,
    },
    throttling: toThrottling(cpu, (cpu["throttled_usec"] ?? 0) * NS_PER_US),
    memory: {
      usageBytes: toNumber(file("memory.current")),
      maxUsageBytes: undefined,
      limitBytes: toLimit(file("memory.max")) ?? Number.MAX_SAFE_INTEGER,
      failures: undefined,
      stats: parsePairs(file("memory.stat")),
    },
    blockBytes: parseIoStat(file("io.stat")),
    blockOperations: [],
    processes: { current: toNumber(file("pids.current")), limit: toLimit(file("pids.max")) },
  };
}

function toThrottling(counters: Record<string, number>, throttledNs: number): CgroupCounters["throttling"] {
  return { periods: counters["nr_periods"] ?? 0, throttledPeriods: counters["nr_throttled"] ?? 0, throttledNs };
}

/** Lines `name value`. */
export function parsePairs(text: string): Record<string, number> {
  const pairs = text.split("\n").flatMap((line): [string, number][] => {
    const [name, value] = line.trim().split(/\s+/);
    return name === undefined || value === undefined || !/^\d+$/.test(value) ? [] : [[name, Number(value)]];
  });
  return Object.fromEntries(pairs);
}

/** Lines `8:0 Read 4096` of the blkio controller; the sum over all devices (`Total 4096`) has no device and is left out. */
export function parseBlkio(text: string): BlockCounter[] {
  return text.split("\n").flatMap((line) => {
    const match = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line.trim());
    if (match === null) return [];
    return [{ major: Number(match[1]), minor: Number(match[2]), op: match[3] ?? "", value: Number(match[4]) }];
  });
}

/** Lines `8:0 rbytes=1 wbytes=2 rios=3 …` of io.stat. */
export function parseIoStat(text: string): BlockCounter[] {
  return text.split("\n").flatMap((line) => {
    const device = /^(\d+):(\d+) /.exec(line);
    if (device === null) return [];
    const base = { major: Number(device[1]), minor: Number(device[2]) };
    return (["read", "write"] as const).flatMap((op) => {
      const value = new RegExp(`\\b${op === "read" ? "r" : "w"}bytes=(\\d+)`).exec(line)?.[1];
      return value === undefined ? [] : [{ ...base, op, value: Number(value) }];
    });
  });
}

function toNumber(text: string): number {
  const value = Number(text.trim());
  return Number.isFinite(value) ? value : 0;
}

/** "max" is no limit. */
function toLimit(text: string): number | undefined {
  return /^\d+$/.test(text.trim()) ? Number(text.trim()) : undefined;
}

const isText = (part: string): boolean => part !== "";

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
