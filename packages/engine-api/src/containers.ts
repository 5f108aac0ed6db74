import { z } from "zod";
import { EndpointSettings, HostConfig, PortMap } from "./host-config.ts";
import { flag, integer, orAbsent, orDefault, orNull, stringMap, stringSet, stringSlice, strings, text } from "./json.ts";

/** Durations in nanoseconds; 0 means "as inherited". */
export const HealthcheckConfig = z.object({
  Test: orAbsent(z.array(z.string())),
  Interval: orAbsent(z.int()),
  Timeout: orAbsent(z.int()),
  StartPeriod: orAbsent(z.int()),
  StartInterval: orAbsent(z.int()),
  Retries: orAbsent(z.int()),
});
export type HealthcheckConfig = z.output<typeof HealthcheckConfig>;

/** Docker's `Config`: what does not depend on the host. */
export const ContainerConfig = z.object({
  Hostname: text,
  Domainname: text,
  User: text,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  ExposedPorts: orAbsent(stringSet),
  Tty: flag,
  OpenStdin: flag,
  StdinOnce: flag,
  Env: strings,
  Cmd: orNull(stringSlice),
  Healthcheck: orAbsent(HealthcheckConfig),
  ArgsEscaped: orAbsent(z.boolean()),
  Image: text,
  Volumes: orNull(stringSet),
  WorkingDir: text,
  Entrypoint: orNull(stringSlice),
  NetworkDisabled: orAbsent(z.boolean()),
  MacAddress: orAbsent(z.string()),
  OnBuild: strings,
  Labels: stringMap,
  StopSignal: orAbsent(z.string()),
  StopTimeout: orAbsent(z.int()),
  Shell: orAbsent(z.array(z.string())),
});
export type ContainerConfig = z.output<typeof ContainerConfig>;

export const NetworkingConfig = z.object({ EndpointsConfig: orNull(z.record(z.string(), EndpointSettings.nullable())) });
export type NetworkingConfig = z.output<typeof NetworkingConfig>;

/** Body of `POST /containers/create`. */
export const ContainerCreateBody = ContainerConfig.extend({
  HostConfig: orAbsent(HostConfig),
  NetworkingConfig: orAbsent(NetworkingConfig),
});
export type ContainerCreateBody = z.output<typeof ContainerCreateBody>;

/** One entry of `Mounts` in inspect and in the list. */
export const MountPoint = z.object({
  Type: text,
  Name: orAbsent(z.string()),
  Source: text,
  Destination: text,
  Driver: orAbsent(z.string()),
  Mode: text,
  RW: flag,
  Propagation: text,
});
export type MountPoint = z.output<typeof MountPoint>;

/** A port of the list; PublicPort and IP only when published. */
export const PortSummary = z.object({ IP: orAbsent(z.string()), PrivatePort: z.int(), PublicPort: orAbsent(z.int()), Type: z.string() });
export type PortSummary = z.output<typeof PortSummary>;

/** One row of `GET /containers/json`. Created in seconds since the epoch. */
export const ContainerSummary = z.object({
  Id: z.string(),
  Names: orDefault(z.array(z.string()), []),
  Image: text,
  ImageID: text,
  Command: text,
  Created: integer,
  Ports: orDefault(z.array(PortSummary), []),
  SizeRw: orAbsent(z.int()),
  SizeRootFs: orAbsent(z.int()),
  Labels: orDefault(z.record(z.string(), z.string()), {}),
  State: text,
  Status: text,
  HostConfig: orDefault(z.object({ NetworkMode: text, Annotations: orAbsent(z.record(z.string(), z.string())) }), { NetworkMode: "" }),
  NetworkSettings: orDefault(z.object({ Networks: orNull(z.record(z.string(), EndpointSettings)) }), { Networks: null }),
  Mounts: orDefault(z.array(MountPoint), []),
});
export type ContainerSummary = z.output<typeof ContainerSummary>;

export const HealthState = z.object({
  Status: text,
  FailingStreak: integer,
  Log: orNull(z.array(z.object({ Start: text, End: text, ExitCode: integer, Output: text }))),
});
export type HealthState = z.output<typeof HealthState>;

/** Times are RFC 3339 with nanoseconds; "0001-01-01T00:00:00Z" means never. */
export const ContainerState = z.object({
  Status: text,
  Running: flag,
  Paused: flag,
  Restarting: flag,
  OOMKilled: flag,
  Dead: flag,
  Pid: integer,
  ExitCode: integer,
  Error: text,
  StartedAt: text,
  FinishedAt: text,
  Health: orAbsent(HealthState),
});
export type ContainerState = z.output<typeof ContainerState>;

export const NetworkSettings = z.object({
  Bridge: text,
  SandboxID: text,
  SandboxKey: text,
  Ports: orDefault(PortMap, {}),
  HairpinMode: flag,
  LinkLocalIPv6Address: text,
  LinkLocalIPv6PrefixLen: integer,
  SecondaryIPAddresses: z
    .null()
    .optional()
    .transform(() => null),
  SecondaryIPv6Addresses: z
    .null()
    .optional()
    .transform(() => null),
  EndpointID: text,
  Gateway: text,
  GlobalIPv6Address: text,
  GlobalIPv6PrefixLen: integer,
  IPAddress: text,
  IPPrefixLen: integer,
  IPv6Gateway: text,
  MacAddress: text,
  Networks: orDefault(z.record(z.string(), EndpointSettings), {}),
});
export type NetworkSettings = z.output<typeof NetworkSettings>;

/** Answer of `GET /containers/{id}/json`. */
export const ContainerInspect = z.object({
  Id: z.string(),
  Created: text,
  Path: text,
  Args: orDefault(z.array(z.string()), []),
  State: ContainerState,
  Image: text,
  ResolvConfPath: text,
  HostnamePath: text,
  HostsPath: text,
  LogPath: text,
  Name: text,
  RestartCount: integer,
  Driver: text,
  Platform: text,
  MountLabel: text,
  ProcessLabel: text,
  AppArmorProfile: text,
  ExecIDs: strings,
  HostConfig: HostConfig,
  GraphDriver: orDefault(z.object({ Name: text, Data: stringMap }), { Name: "", Data: null }),
  SizeRw: orAbsent(z.int()),
  SizeRootFs: orAbsent(z.int()),
  Mounts: orDefault(z.array(MountPoint), []),
  Config: ContainerConfig,
  NetworkSettings: NetworkSettings,
});
export type ContainerInspect = z.output<typeof ContainerInspect>;
