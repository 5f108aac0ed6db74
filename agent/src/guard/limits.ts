// What a namespace may use of a host, as far as it can be said before a container is made. Pure: the sum of memory and CPU is
// the kernel's to hold, by the namespace's cgroup.
import { FlotillaError } from "@flotilla/core";
import type { HostConfig } from "@flotilla/engine-api";
import type { GuardLimits } from "@flotilla/protocol";
import type { PortBinding } from "../engine/ports.ts";

const NANOS_PER_CPU = 1_000_000_000;
const CPU_PERIOD_US = 100_000;

/** @throws conflict when the namespace has as many containers as it may have. */
export function assertRoom(limits: GuardLimits, namespace: string, containers: number): void {
  if (limits.containers === undefined || containers < limits.containers) return;
  throw new FlotillaError(
    "conflict",
    `${namespace} has ${containers} containers, of ${limits.containers} that it may have on this host: remove one, or ask an administrator for more`,
  );
}

/** @throws forbidden for more memory, CPUs or other ports than the whole namespace has. */
export function assertWithin(limits: GuardLimits, hostConfig: HostConfig, ports: readonly PortBinding[]): void {
  const { memoryBytes, cpus } = limits;
  if (memoryBytes !== undefined && hostConfig.Memory > memoryBytes) {
    refuse(`a memory limit of ${hostConfig.Memory} bytes is more than the ${memoryBytes} that the namespace has on this host`);
  }
  const wanted = cpusOf(hostConfig);
  if (cpus !== undefined && wanted > cpus) refuse(`${wanted} CPUs are more than the ${cpus} that the namespace has on this host`);
  for (const port of ports) {
    if (limits.hostPorts === undefined || isPortAllowed(limits.hostPorts, port)) continue;
    const named = port.hostPort === 0 ? "a port" : `port ${port.hostPort}${port.hostPortEnd === undefined ? "" : `-${port.hostPortEnd}`}`;
    refuse(`publishing ${named} of this host is not allowed: ${describePorts(limits.hostPorts)}`);
  }
}

/** Ports that the engine may choose are chosen from what is allowed: from the widest of the ranges. */
export function choosePorts(limits: GuardLimits, ports: readonly PortBinding[]): PortBinding[] {
  const [widest] = (limits.hostPorts ?? []).toSorted(([a, b], [c, d]) => d - c - (b - a));
  if (widest === undefined) return [...ports];
  const [hostPort, hostPortEnd] = widest;
  return ports.map((port) => (port.hostPort === 0 ? { ...port, hostPort, ...(hostPort === hostPortEnd ? {} : { hostPortEnd }) } : port));
}

function isPortAllowed(ranges: readonly (readonly [number, number])[], { hostPort, hostPortEnd = hostPort }: PortBinding): boolean {
  if (hostPort === 0) return ranges.length > 0;
  return ranges.some(([from, to]) => hostPort >= from && hostPortEnd <= to);
}

function describePorts(ranges: readonly (readonly [number, number])[]): string {
  if (ranges.length === 0) return "the namespace may publish none";
  return `the namespace may publish ${ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(", ")}`;
}

/** CPUs that a container may use; 0 for any. */
function cpusOf({ NanoCpus: nanos, CpuQuota: quota, CpuPeriod: period }: HostConfig): number {
  if (nanos > 0) return nanos / NANOS_PER_CPU;
  return quota > 0 ? quota / (period === 0 ? CPU_PERIOD_US : period) : 0;
}

const refuse = (message: string): never => {
  throw new FlotillaError("forbidden", `${message}; an instance administrator can change that (the host's guard rails)`);
};
