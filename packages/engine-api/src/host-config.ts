import { z } from "zod";
import { flag, integer, orAbsent, orDefault, orNull, stringMap, strings, text } from "./json.ts";

/** `HostConfig.PortBindings`: "80/tcp" → host addresses and ports (port "" or "0" asks for a free one, "8000-8010" for one of a range). */
export const PortMap = z.record(z.string(), z.array(z.object({ HostIp: text, HostPort: text })).nullable());
export type PortMap = z.output<typeof PortMap>;

export const RestartPolicy = z.object({ Name: text, MaximumRetryCount: integer });
export type RestartPolicy = z.output<typeof RestartPolicy>;

/** One entry of `HostConfig.Mounts` (`docker run --mount`). */
export const MountRequest = z.object({
  Type: text,
  Source: text,
  Target: text,
  ReadOnly: flag,
  Consistency: orAbsent(z.string()),
  BindOptions: orAbsent(
    z.object({
      Propagation: orAbsent(z.string()),
      NonRecursive: orAbsent(z.boolean()),
      CreateMountpoint: orAbsent(z.boolean()),
      ReadOnlyNonRecursive: orAbsent(z.boolean()),
      ReadOnlyForceRecursive: orAbsent(z.boolean()),
    }),
  ),
  VolumeOptions: orAbsent(
    z.object({
      NoCopy: orAbsent(z.boolean()),
      Labels: orAbsent(z.record(z.string(), z.string())),
      Subpath: orAbsent(z.string()),
      DriverConfig: orAbsent(z.object({ Name: orAbsent(z.string()), Options: orAbsent(z.record(z.string(), z.string())) })),
    }),
  ),
  TmpfsOptions: orAbsent(
    z.object({ SizeBytes: orAbsent(z.int()), Mode: orAbsent(z.int()), Options: orAbsent(z.array(z.array(z.string()))) }),
  ),
});
export type MountRequest = z.output<typeof MountRequest>;

const Device = z.object({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text });
const Ulimit = z.object({ Name: text, Hard: integer, Soft: integer });
const ThrottleDevice = z.object({ Path: text, Rate: integer });
const WeightDevice = z.object({ Path: text, Weight: integer });
const throttles = orNull(z.array(ThrottleDevice));

const resourceShape = {
  CpuShares: integer,
  Memory: integer,
  NanoCpus: integer,
  CgroupParent: text,
  BlkioWeight: integer,
  BlkioWeightDevice: orNull(z.array(WeightDevice)),
  BlkioDeviceReadBps: throttles,
  BlkioDeviceWriteBps: throttles,
  BlkioDeviceReadIOps: throttles,
  BlkioDeviceWriteIOps: throttles,
  CpuPeriod: integer,
  CpuQuota: integer,
  CpuRealtimePeriod: integer,
  CpuRealtimeRuntime: integer,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: orNull(z.array(Device)),
  DeviceCgroupRules: strings,
  DeviceRequests: orNull(z.array(z.looseObject({}))),
  MemoryReservation: integer,
  MemorySwap: integer,
  MemorySwappiness: orNull(z.int()),
  OomKillDisable: orNull(z.boolean()),
  PidsLimit: orNull(z.int()),
  Ulimits: orNull(z.array(Ulimit)),
  CpuCount: integer,
  CpuPercent: integer,
  IOMaximumIOps: integer,
  IOMaximumBandwidth: integer,
} as const;

/** Limits: the part of HostConfig that `POST /containers/{id}/update` takes too. Sizes in bytes, NanoCpus in 1e-9 CPU. */
export const Resources = z.object(resourceShape);
export type Resources = z.output<typeof Resources>;

/**
 * Docker's HostConfig, complete: what a client left out has the value that Docker answers in inspect. Unknown fields are
 * dropped.
 */
export const HostConfig = z.object({
  Binds: strings,
  ContainerIDFile: text,
  LogConfig: orDefault(z.object({ Type: text, Config: orDefault(z.record(z.string(), z.string()), {}) }), { Type: "", Config: {} }),
  NetworkMode: text,
  PortBindings: orDefault(PortMap, {}),
  RestartPolicy: orDefault(RestartPolicy, { Name: "", MaximumRetryCount: 0 }),
  AutoRemove: flag,
  VolumeDriver: text,
  VolumesFrom: strings,
  ConsoleSize: orDefault(z.tuple([z.int(), z.int()]), [0, 0]),
  Annotations: orAbsent(z.record(z.string(), z.string())),
  CapAdd: strings,
  CapDrop: strings,
  CgroupnsMode: text,
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: text,
  Cgroup: text,
  Links: strings,
  OomScoreAdj: integer,
  PidMode: text,
  Privileged: flag,
  PublishAllPorts: flag,
  ReadonlyRootfs: flag,
  SecurityOpt: strings,
  StorageOpt: orAbsent(z.record(z.string(), z.string())),
  Tmpfs: orAbsent(z.record(z.string(), z.string())),
  UTSMode: text,
  UsernsMode: text,
  ShmSize: integer,
  Sysctls: orAbsent(z.record(z.string(), z.string())),
  Runtime: text,
  Isolation: text,
  ...resourceShape,
  Mounts: orAbsent(z.array(MountRequest)),
  MaskedPaths: strings,
  ReadonlyPaths: strings,
  Init: orAbsent(z.boolean()),
});
export type HostConfig = z.output<typeof HostConfig>;

/** Body of `POST /containers/{id}/update`: zero, empty and missing mean "as it is". */
export const ContainerUpdateBody = z.object({ ...resourceShape, RestartPolicy: orAbsent(RestartPolicy) });
export type ContainerUpdateBody = z.output<typeof ContainerUpdateBody>;

export const EndpointSettings = z.object({
  IPAMConfig: orNull(z.looseObject({ IPv4Address: orAbsent(z.string()), IPv6Address: orAbsent(z.string()) })),
  Links: strings,
  Aliases: strings,
  MacAddress: text,
  DriverOpts: stringMap,
  GwPriority: orAbsent(z.int()),
  NetworkID: text,
  EndpointID: text,
  Gateway: text,
  IPAddress: text,
  IPPrefixLen: integer,
  IPv6Gateway: text,
  GlobalIPv6Address: text,
  GlobalIPv6PrefixLen: integer,
  DNSNames: strings,
});
export type EndpointSettings = z.output<typeof EndpointSettings>;
