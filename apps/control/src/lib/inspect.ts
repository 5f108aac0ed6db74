import { z } from "zod";

// What the pages show of Docker's inspect answers. Fields that they do not show stay in the raw JSON of the Inspect tab.

const text = z.string().catch("");
const count = z.number().catch(0);
const flag = z.boolean().catch(false);
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((value) => value ?? []);
const record = <T extends z.ZodType>(item: T) =>
  z
    .record(z.string(), item)
    .nullish()
    .transform((value) => value ?? {});

const binding = z.object({ HostIp: text, HostPort: text });

const healthSchema = z.object({
  Status: text,
  FailingStreak: count,
  Log: list(z.object({ Start: text, End: text, ExitCode: count, Output: text })),
});

const stateSchema = z.object({
  Status: text,
  Running: flag,
  OOMKilled: flag,
  Pid: count,
  ExitCode: count,
  Error: text,
  StartedAt: text,
  FinishedAt: text,
  Health: healthSchema.nullish(),
});

const hostConfigSchema = z.object({
  RestartPolicy: z.object({ Name: text, MaximumRetryCount: count }).nullish(),
  Memory: count,
  NanoCpus: count,
  CpuShares: count,
  PidsLimit: z.number().nullish(),
  NetworkMode: text,
  Privileged: flag,
  ReadonlyRootfs: flag,
  AutoRemove: flag,
});

const mountSchema = z.object({
  Type: text,
  Name: z.string().optional(),
  Source: text,
  Destination: text,
  Mode: text,
  RW: z.boolean().catch(true),
});

const endpointSchema = z.object({ IPAddress: text, Gateway: text, MacAddress: text, Aliases: list(z.string()) });

export const containerInspectSchema = z.object({
  Id: text,
  Name: text.transform((name) => name.replace(/^\//, "")),
  Created: text,
  Path: text,
  Args: list(z.string()),
  Image: text,
  RestartCount: count,
  State: stateSchema,
  Config: z.object({
    Image: text,
    Hostname: text,
    User: text,
    WorkingDir: text,
    Tty: flag,
    Env: list(z.string()),
    Labels: record(z.string()),
  }),
  HostConfig: hostConfigSchema,
  Mounts: list(mountSchema),
  NetworkSettings: z.object({
    Ports: record(z.array(binding).nullable()),
    Networks: record(endpointSchema),
  }),
});

export type ContainerDetails = z.infer<typeof containerInspectSchema>;

export const imageInspectSchema = z.object({
  Id: text,
  RepoTags: list(z.string()),
  RepoDigests: list(z.string()),
  Created: z.string().nullish(),
  Size: count,
  Architecture: text,
  Os: text,
  Author: text,
  Config: z
    .object({
      Env: list(z.string()),
      Cmd: list(z.string()),
      Entrypoint: list(z.string()),
      WorkingDir: text,
      User: text,
      ExposedPorts: record(z.unknown()),
      Volumes: record(z.unknown()),
      Labels: record(z.string()),
    })
    .nullish(),
  RootFS: z.object({ Layers: list(z.string()) }).nullish(),
});

export type ImageDetails = z.infer<typeof imageInspectSchema>;

export const hostInfoSchema = z.object({
  ServerVersion: text,
  Driver: text,
  CgroupDriver: text,
  CgroupVersion: text,
  KernelVersion: text,
  OperatingSystem: text,
  Architecture: text,
  DockerRootDir: text,
  DefaultRuntime: text,
  Images: count,
  SecurityOptions: list(z.string()),
  Warnings: list(z.string()),
});

export const volumeInspectSchema = z.object({
  Name: text,
  Driver: text,
  Mountpoint: text,
  CreatedAt: z.string().nullish(),
  Scope: text,
  Labels: record(z.string()),
  Options: record(z.string()),
  UsageData: z.object({ Size: count, RefCount: count }).nullish(),
});

export type PortRow = { container: string; published: { address: string; port: string }[] };

/** Exposed and published ports of an inspect answer, by number. */
export function portRows(details: ContainerDetails): PortRow[] {
  return Object.entries(details.NetworkSettings.Ports)
    .map(([container, bindings]) => ({
      container,
      published: (bindings ?? []).map(({ HostIp, HostPort }) => ({ address: HostIp, port: HostPort })),
    }))
    .sort((a, b) => Number.parseInt(a.container, 10) - Number.parseInt(b.container, 10));
}

export type VolumeDetails = z.infer<typeof volumeInspectSchema>;
