import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "./measure.ts";

export type Peer = { name: string; host: string; version: string; pids(): number[]; close(): Promise<void> };

/** The network namespace that the peer is in, of this run alone. */
export const DOCKERD_NETNS = `flotilla-bench-${process.pid}`;

/**
 * Debian's dockerd as the peer, in a network namespace of its own: its iptables rules and bridge stay out of the
 * machine, and it pays the same price as anywhere for making them.
 */
export async function startDockerd(dir: string): Promise<Peer> {
  mkdirSync(dir, { recursive: true });
  const socket = join(dir, "docker.sock");
  const pidFile = join(dir, "docker.pid");
  const netns = DOCKERD_NETNS;
  await command(["ip", "netns", "add", netns]);
  await command(["ip", "-n", netns, "link", "set", "lo", "up"]);
  const configFile = join(dir, "daemon.json");
  writeFileSync(configFile, "{}");
  const child = spawn(
    "nsenter",
    [
      `--net=/run/netns/${netns}`,
      "dockerd",
      "--config-file",
      configFile,
      "--data-root",
      join(dir, "data"),
      "--exec-root",
      join(dir, "exec"),
      "-H",
      `unix://${socket}`,
      "--pidfile",
      pidFile,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  child.stderr.resume();
  const host = `unix://${socket}`;
  const close = async (): Promise<void> => {
    await stopped(child);
    await command(["ip", "netns", "delete", netns]).catch(() => undefined);
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const version = await ready(host);
    return { name: "dockerd", host, version, pids: () => treeOf(Number(readFileSync(pidFile, "utf8"))), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function ready(host: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      await command(["docker", "-H", host, "version"]);
      return "20.10 (Debian)";
    } catch (error) {
      if (attempt > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function stopped(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}

/** A process and all below it. */
export function treeOf(pid: number): number[] {
  if (!existsSync(`/proc/${pid}`)) return [];
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter((text) => text !== "");
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))];
}

/** Resident memory of processes in bytes, shared pages counted once among those that share them (Pss). */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
      return sum + Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
    } catch {
      return sum;
    }
  }, 0);
}
