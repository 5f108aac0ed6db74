import { readFileSync, statSync } from "node:fs";
import { availableParallelism, hostname, machine, release, totalmem } from "node:os";
import { detectCgroups } from "../host/cgroup.ts";

/** What `docker info` and `docker version` say about the machine. */
export type HostFacts = {
  hostname: string;
  kernelVersion: string;
  operatingSystem: string;
  osVersion: string;
  /** As Docker prints it in info: x86_64, aarch64. */
  machine: string;
  /** As OCI and `docker version` name it: amd64, arm64. */
  architecture: string;
  cpus: number;
  memoryBytes: number;
  cgroupVersion: "1" | "2";
  hasSwapLimit: boolean;
  isIpForwarding: boolean;
};

/** Reads the facts; cheap enough to be asked anew for each call, and some of them change. */
export function readHostFacts(): HostFacts {
  const layout = detectCgroups();
  const osRelease = parseOsRelease(readOr("/etc/os-release", ""));
  const memoryDir = layout.controllers.get("memory");
  return {
    hostname: hostname(),
    kernelVersion: release(),
    operatingSystem: osRelease["PRETTY_NAME"] ?? "Linux",
    osVersion: osRelease["VERSION_ID"] ?? "",
    machine: machine(),
    architecture: ociArchitecture(machine()),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    cgroupVersion: layout.mode === "v2" ? "2" : "1",
    hasSwapLimit: layout.mode === "v2" || (memoryDir !== undefined && exists(`${memoryDir}/memory.memsw.limit_in_bytes`)),
    isIpForwarding: readOr("/proc/sys/net/ipv4/ip_forward", "0").trim() === "1",
  };
}

/** KEY=value lines, values in quotes or not (os-release(5)). */
export function parseOsRelease(text: string): Record<string, string> {
  const entries = text.split("\n").flatMap((line): [string, string][] => {
    const match = /^([A-Z0-9_]+)=(?:"(.*)"|'(.*)'|(.*))$/.exec(line.trim());
    return match?.[1] === undefined ? [] : [[match[1], match[2] ?? match[3] ?? match[4] ?? ""]];
  });
  return Object.fromEntries(entries);
}

export function ociArchitecture(machineName: string): string {
  const known: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64", armv7l: "arm", i686: "386" };
  return known[machineName] ?? machineName;
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return fallback;
  }
}

function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}
