import type { Mount, Project, Service } from "@flotilla/compose";
import { type BodyInput, optional, type Peers } from "./body-input.ts";

const NANOS_PER_CPU = 1_000_000_000;

/** Docker's HostConfig of a service. */
export function hostConfigOf(input: BodyInput): Record<string, unknown> {
  const { service, project, peers } = input;
  return {
    ...mountsOf(input),
    PortBindings: portBindings(service),
    NetworkMode: networkMode(service, project, peers),
    RestartPolicy: restartPolicy(input),
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

function portBindings(service: Service): Record<string, { HostIp: string; HostPort: string }[]> {
  const result: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of service.ports) {
    const key = `${port.target}/${port.protocol}`;
    const range = port.publishedEnd === undefined ? "" : `-${port.publishedEnd}`;
    (result[key] ??= []).push({ HostIp: port.hostIp ?? "", HostPort: port.published === undefined ? "" : `${port.published}${range}` });
  }
  return result;
}

export function networkMode(service: Service, project: Project, peers: Peers): string {
  const { networkMode: mode } = service;
  if (mode !== undefined) return ofPeer(mode, peers);
  const [first] = Object.keys(service.networks);
  return first === undefined ? "none" : (project.networks[first]?.name ?? "default");
}

/** `service:db` as `container:<id>`; everything else is the engine's own word. */
function ofPeer(mode: string, peers: Peers): string {
  if (!mode.startsWith("service:")) return mode;
  return `container:${peers.get(mode.slice("service:".length))?.id ?? ""}`;
}

function volumesFrom(from: string, peers: Peers): string {
  if (from.startsWith("container:")) return from.slice("container:".length);
  const [service = "", mode] = from.split(":");
  return `${peers.get(service)?.id ?? ""}${mode === undefined ? "" : `:${mode}`}`;
}

/** `deploy.restart_policy` counts before `restart`; a job and a one-off container are not restarted. */
function restartPolicy({ service, isOneOff }: BodyInput): { Name: string; MaximumRetryCount: number } {
  const policy = service.deploy.restartPolicy;
  if (isOneOff) return { Name: "no", MaximumRetryCount: 0 };
  if (policy !== undefined) {
    if (policy.condition === "on-failure") return { Name: "on-failure", MaximumRetryCount: policy.maxAttempts ?? 0 };
    return { Name: policy.condition === "any" && !service.deploy.mode.endsWith("-job") ? "always" : "no", MaximumRetryCount: 0 };
  }
  return { Name: service.restart?.name ?? "no", MaximumRetryCount: service.restart?.maximumRetryCount ?? 0 };
}

type Mounts = { Binds: string[]; Mounts: Record<string, unknown>[]; Tmpfs: Record<string, string> };

function mountsOf({ service, project, inherited, boundFiles }: BodyInput): Mounts {
  const result: Mounts = { Binds: [], Mounts: [], Tmpfs: { ...service.tmpfs } };
  for (const mount of service.volumes) addMount(result, mount, project);
  for (const [target, name] of inherited) result.Binds.push(`${name}:${target}`);
  for (const [target, source] of boundFiles) result.Mounts.push({ Type: "bind", Source: source, Target: target, ReadOnly: true });
  return result;
}

function addMount(result: Mounts, mount: Mount, project: Project): void {
  const own = { Target: mount.target, ReadOnly: mount.isReadOnly };
  if (mount.type === "tmpfs") {
    result.Mounts.push({
      Type: "tmpfs",
      ...own,
      TmpfsOptions: { ...optional("SizeBytes", mount.sizeBytes), ...optional("Mode", mount.mode) },
    });
  } else if (mount.type === "bind") {
    // A bind string makes the directory that is missing, a mount refuses it; a colon cannot stand in a string.
    const options = [
      ...(mount.isReadOnly ? ["ro"] : []),
      ...(mount.propagation === undefined ? [] : [mount.propagation]),
      ...(mount.selinux === undefined ? [] : [mount.selinux]),
    ];
    if (mount.createHostPath && !mount.source.includes(":"))
      result.Binds.push([mount.source, mount.target, ...(options.length === 0 ? [] : [options.join(",")])].join(":"));
    else result.Mounts.push({ Type: "bind", Source: mount.source, ...own, BindOptions: optional("Propagation", mount.propagation) });
  } else if (mount.source !== undefined) {
    const name = project.volumes[mount.source]?.name ?? mount.source;
    const options = [...(mount.isReadOnly ? ["ro"] : []), ...(mount.noCopy ? ["nocopy"] : [])];
    if (mount.subpath === undefined)
      result.Binds.push([name, mount.target, ...(options.length === 0 ? [] : [options.join(",")])].join(":"));
    else result.Mounts.push({ Type: "volume", Source: name, ...own, VolumeOptions: { NoCopy: mount.noCopy, Subpath: mount.subpath } });
  }
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
