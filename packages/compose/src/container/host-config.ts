import type { Service } from "../model.ts";
import { type Mounts, mountsOf } from "./mounts.ts";
import { optional } from "./optional.ts";
import type { ContainerScene, Peers } from "./scene.ts";

const NANOS_PER_CPU = 1_000_000_000;

export type HostConfig = Mounts & Record<string, unknown>;

/** Docker's HostConfig of a service, but for its networks and restarts. */
export function hostConfigOf(scene: ContainerScene): HostConfig {
  const { service, peers } = scene;
  return {
    ...mountsOf(scene),
    PortBindings: portBindings(scene),
    ...resourcesOf(service),
    ...isolationOf(service, peers),
    ...namesOf(service),
    ...(service.logging === undefined ? {} : { LogConfig: { Type: service.logging.driver ?? "", Config: service.logging.options } }),
    VolumesFrom: service.volumesFrom.map((from) => volumesFrom(from, peers)),
    ReadonlyRootfs: service.isReadOnly,
    ...optional("Annotations", filled(service.annotations)),
    ...optional("StorageOpt", filled(service.storageOpt)),
    ...optional("ShmSize", service.shmSizeBytes),
    ...optional("Init", service.init),
    ...optional("Runtime", service.runtime),
  };
}

const filled = <T extends object>(value: T): T | undefined => (Object.keys(value).length === 0 ? undefined : value);

function namesOf(service: Service): Record<string, unknown> {
  return {
    Dns: service.dns,
    DnsSearch: service.dnsSearch,
    DnsOptions: service.dnsOpt,
    // The engine's form has a colon; an address of IPv6 has colons of its own, so only the first `=` is one.
    ExtraHosts: service.extraHosts.map((entry) => entry.replace(/^([^=:]+)=/, "$1:")),
  };
}

function portBindings({ service, publishes }: ContainerScene): Record<string, { HostIp: string; HostPort: string }[]> {
  const result: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of service.ports.filter(publishes)) {
    const key = `${port.target}/${port.protocol}`;
    const range = port.publishedEnd === undefined ? "" : `-${port.publishedEnd}`;
    (result[key] ??= []).push({ HostIp: port.hostIp ?? "", HostPort: port.published === undefined ? "" : `${port.published}${range}` });
  }
  return result;
}

/** `service:db` as `container:<id>`; everything else is the engine's own word. */
export function ofPeer(mode: string, peers: Peers): string {
  if (!mode.startsWith("service:")) return mode;
  return `container:${peers.get(mode.slice("service:".length))?.id ?? ""}`;
}

function volumesFrom(from: string, peers: Peers): string {
  if (from.startsWith("container:")) return from.slice("container:".length);
  const [service = "", mode] = from.split(":");
  return `${peers.get(service)?.id ?? ""}${mode === undefined ? "" : `:${mode}`}`;
}

function resourcesOf(service: Service): Record<string, unknown> {
  const { limits, reservations } = service.deploy.resources;
  const { blkio } = service;
  const rates = (list: { path: string; rate: number }[] | { path: string; rateBytes: number }[] | undefined): unknown =>
    list?.map((entry) => ({ Path: entry.path, Rate: "rate" in entry ? entry.rate : entry.rateBytes }));
  return {
    ...optional("NanoCpus", limits.cpus === undefined ? undefined : Math.round(limits.cpus * NANOS_PER_CPU)),
    ...optional("Memory", limits.memoryBytes),
    ...optional("PidsLimit", limits.pids),
    ...optional("MemoryReservation", reservations.memoryBytes),
    ...optional("MemorySwap", service.memswapLimitBytes),
    ...optional("MemorySwappiness", service.memSwappiness),
    ...optional("CpuShares", service.cpuShares),
    ...optional("CpuQuota", service.cpuQuotaUs),
    ...optional("CpuPeriod", service.cpuPeriodUs),
    ...optional("CpuRealtimeRuntime", service.cpuRealtimeRuntimeUs),
    ...optional("CpuRealtimePeriod", service.cpuRealtimePeriodUs),
    ...optional("CpusetCpus", service.cpuset),
    ...optional("BlkioWeight", blkio?.weight),
    ...optional(
      "BlkioWeightDevice",
      blkio?.weightDevice.map(({ path, weight }) => ({ Path: path, Weight: weight })),
    ),
    ...optional("BlkioDeviceReadBps", rates(blkio?.deviceReadBps)),
    ...optional("BlkioDeviceWriteBps", rates(blkio?.deviceWriteBps)),
    ...optional("BlkioDeviceReadIOps", rates(blkio?.deviceReadIops)),
    ...optional("BlkioDeviceWriteIOps", rates(blkio?.deviceWriteIops)),
    Ulimits: Object.entries(service.ulimits).map(([name, { soft, hard }]) => ({ Name: name, Soft: soft, Hard: hard })),
  };
}

function isolationOf(service: Service, peers: Peers): Record<string, unknown> {
  return {
    Privileged: service.isPrivileged,
    CapAdd: service.capAdd,
    CapDrop: service.capDrop,
    SecurityOpt: service.securityOpt,
    GroupAdd: service.groupAdd,
    Devices: service.devices.map(({ source, target, permissions }) => ({
      PathOnHost: source,
      PathInContainer: target,
      CgroupPermissions: permissions,
    })),
    DeviceCgroupRules: service.deviceCgroupRules,
    Sysctls: service.sysctls,
    ...optional("CgroupnsMode", service.cgroup),
    ...optional("CgroupParent", service.cgroupParent),
    ...optional("IpcMode", service.ipc === undefined ? undefined : ofPeer(service.ipc, peers)),
    ...optional("PidMode", service.pid === undefined ? undefined : ofPeer(service.pid, peers)),
    ...optional("UTSMode", service.uts),
    ...optional("UsernsMode", service.usernsMode),
    ...(service.oomKillDisable ? { OomKillDisable: true } : {}),
    ...optional("OomScoreAdj", service.oomScoreAdj),
  };
}
