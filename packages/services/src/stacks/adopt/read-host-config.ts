// Docker's HostConfig as keys of a service.
import type { HostConfig } from "@flotilla/engine-api";

const NANOS_PER_CPU = 1_000_000_000;
const DEFAULT_SHM_BYTES = 64 * 1_024 * 1_024;

/** Words that an engine fills in where nobody said any. */
const DEFAULTS: { [Key in keyof HostConfig]?: readonly unknown[] } = {
  IpcMode: ["private", "shareable"],
  CgroupnsMode: ["private", "host"],
  Runtime: ["runc", "crun"],
  ShmSize: [DEFAULT_SHM_BYTES],
  MemorySwappiness: [-1],
  PidsLimit: [-1],
  Isolation: ["default"],
};

/** The same, with nothing where an engine would fill in just this by itself. Pure. */
export function withoutDefaults(host: HostConfig): HostConfig {
  const entries = Object.entries(host).map(([key, value]) => {
    const usual: readonly unknown[] = DEFAULTS[key as keyof HostConfig] ?? [];
    return [key, usual.includes(value) ? (typeof value === "string" ? "" : typeof value === "number" ? 0 : value) : value];
  });
  const swap = host.MemorySwap === host.Memory * 2 ? 0 : host.MemorySwap;
  const isUsualLog = host.LogConfig.Type === "json-file" && Object.keys(host.LogConfig.Config).length === 0;
  return {
    ...(Object.fromEntries(entries) as HostConfig),
    MemorySwap: swap,
    LogConfig: isUsualLog ? { Type: "", Config: {} } : host.LogConfig,
  };
}

const given = <T>(key: string, value: T | null | undefined, is: (value: T) => boolean): object =>
  value !== null && value !== undefined && is(value) ? { [key]: value } : {};
const isSome = (value: string | number | boolean): boolean => value !== "" && value !== 0 && value !== false;
const isFilled = (value: object): boolean => Object.keys(value).length > 0;

/** Keys of a service, and its `deploy.resources`. @param host without defaults. Pure. */
export function readLimits(host: HostConfig): { service: object; resources: object } {
  const cpus = host.NanoCpus === 0 ? undefined : host.NanoCpus / NANOS_PER_CPU;
  return {
    resources: {
      limits: { ...given("cpus", cpus, isSome), ...given("memoryBytes", host.Memory, isSome), ...given("pids", host.PidsLimit, isSome) },
      reservations: { ...given("memoryBytes", host.MemoryReservation, isSome), devices: [], genericResources: {} },
    },
    service: { ...tuning(host), ...isolation(host), ...names(host) },
  };
}

function tuning(host: HostConfig): object {
  return {
    ...given("cpuShares", host.CpuShares, isSome),
    ...given("cpuQuotaUs", host.CpuQuota, isSome),
    ...given("cpuPeriodUs", host.CpuPeriod, isSome),
    ...given("cpuRealtimeRuntimeUs", host.CpuRealtimeRuntime, isSome),
    ...given("cpuRealtimePeriodUs", host.CpuRealtimePeriod, isSome),
    ...given("cpuset", host.CpusetCpus, isSome),
    ...given("memswapLimitBytes", host.MemorySwap, isSome),
    ...given("memSwappiness", host.MemorySwappiness, isSome),
    ...given("shmSizeBytes", host.ShmSize, isSome),
    ...given("storageOpt", host.StorageOpt, isFilled),
    ...given("blkio", blkio(host), isFilled),
    ulimits: Object.fromEntries((host.Ulimits ?? []).map(({ Name, Soft: soft, Hard: hard }) => [Name, { soft, hard }])),
  };
}

function blkio(host: HostConfig): object {
  const bytes = (list: HostConfig["BlkioDeviceReadBps"]): object[] =>
    (list ?? []).map(({ Path: path, Rate: rateBytes }) => ({ path, rateBytes }));
  const operations = (list: HostConfig["BlkioDeviceReadBps"]): object[] =>
    (list ?? []).map(({ Path: path, Rate: rate }) => ({ path, rate }));
  const some = (list: object[]): boolean => list.length > 0;
  return {
    ...given("weight", host.BlkioWeight, isSome),
    ...given(
      "weightDevice",
      (host.BlkioWeightDevice ?? []).map(({ Path: path, Weight: weight }) => ({ path, weight })),
      some,
    ),
    ...given("deviceReadBps", bytes(host.BlkioDeviceReadBps), some),
    ...given("deviceWriteBps", bytes(host.BlkioDeviceWriteBps), some),
    ...given("deviceReadIops", operations(host.BlkioDeviceReadIOps), some),
    ...given("deviceWriteIops", operations(host.BlkioDeviceWriteIOps), some),
  };
}

function isolation(host: HostConfig): object {
  return {
    isPrivileged: host.Privileged,
    capAdd: host.CapAdd ?? [],
    capDrop: host.CapDrop ?? [],
    securityOpt: host.SecurityOpt ?? [],
    groupAdd: host.GroupAdd ?? [],
    devices: (host.Devices ?? []).map(({ PathOnHost: source, PathInContainer: target, CgroupPermissions: permissions }) => ({
      source,
      target,
      permissions,
    })),
    deviceCgroupRules: host.DeviceCgroupRules ?? [],
    sysctls: host.Sysctls ?? {},
    isReadOnly: host.ReadonlyRootfs,
    oomKillDisable: host.OomKillDisable ?? false,
    ...given("oomScoreAdj", host.OomScoreAdj, isSome),
    ...given("cgroupParent", host.CgroupParent, isSome),
    ...given("ipc", host.IpcMode, isSome),
    ...given("pid", host.PidMode, isSome),
    ...given("uts", host.UTSMode, isSome),
    ...given("usernsMode", host.UsernsMode, isSome),
    ...given("runtime", host.Runtime, isSome),
    ...given("init", host.Init, isSome),
    ...given("annotations", host.Annotations, isFilled),
  };
}

function names(host: HostConfig): object {
  const { Type: driver, Config: options } = host.LogConfig;
  return {
    dns: host.Dns ?? [],
    dnsSearch: host.DnsSearch ?? [],
    dnsOpt: host.DnsOptions ?? [],
    // The engine's form has a colon where the model's has an equals sign.
    extraHosts: host.ExtraHosts ?? [],
    ...(driver === "" ? {} : { logging: { driver, options } }),
  };
}

/** Said elsewhere in a service, or the host's own since. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "Binds", "Mounts", "Tmpfs", "VolumesFrom", "VolumeDriver", "ContainerIDFile", "NetworkMode", "RestartPolicy", "AutoRemove", "ConsoleSize",
  "Links", "Cgroup", "MaskedPaths", "ReadonlyPaths", "PortBindings", "CgroupnsMode", "IOMaximumIOps", "IOMaximumBandwidth",
]); // prettier-ignore

/** Names of what a container of the service would have otherwise than the one that is there. Pure. */
export function unlikeHostConfigs(before: HostConfig, after: HostConfig): string[] {
  const [left, right] = [withoutDefaults(before), withoutDefaults(after)];
  const keys = Object.keys(left) as (keyof HostConfig)[];
  return keys.filter((key) => !ELSEWHERE.has(key) && comparable(left[key]) !== comparable(right[key]));
}

/** Nothing has many forms in Docker's JSON. */
function comparable(value: unknown): string {
  const text = JSON.stringify(value, (_key, item: unknown) =>
    item === null || item === false || item === "" || item === 0 ? undefined : item,
  );
  return text === undefined || text === "[]" || text === "{}" ? "" : text;
}
