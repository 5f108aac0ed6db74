// zod/mini: the same schemas, of which a page loads a third.
import * as z from "zod/mini";
import { catch as orElse } from "zod/mini";

// What the pages show of Docker's inspect answers. Fields that they do not show stay in the raw JSON of the Inspect tab.

const text = orElse(z.string(), "");
const count = orElse(z.number(), 0);
const flag = orElse(z.boolean(), false);
const list = <T extends z.ZodMiniType>(item: T) =>
  z.pipe(
    z.nullish(z.array(item)),
    z.transform((value) => value ?? []),
  );
const record = <T extends z.ZodMiniType>(item: T) =>
  z.pipe(
    z.nullish(z.record(z.string(), item)),
    z.transform((value) => value ?? {}),
  );

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
  Health: z.nullish(healthSchema),
});

const hostConfigSchema = z.object({
  RestartPolicy: z.nullish(z.object({ Name: text, MaximumRetryCount: count })),
  Memory: count,
  NanoCpus: count,
  CpuShares: count,
  PidsLimit: z.nullish(z.number()),
  NetworkMode: text,
  Privileged: flag,
  ReadonlyRootfs: flag,
  AutoRemove: flag,
});

const mountSchema = z.object({
  Type: text,
  Name: z.optional(z.string()),
  Source: text,
  Destination: text,
  Mode: text,
  RW: orElse(z.boolean(), true),
});

const endpointSchema = z.object({ IPAddress: text, Gateway: text, MacAddress: text, Aliases: list(z.string()) });

export const containerInspectSchema = z.object({
  Id: text,
  Name: z.pipe(
    text,
    z.transform((name) => name.replace(/^\//, "")),
  ),
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
    Ports: record(z.nullable(z.array(binding))),
    Networks: record(endpointSchema),
  }),
});

export type ContainerDetails = z.infer<typeof containerInspectSchema>;

export const imageInspectSchema = z.object({
  Id: text,
  RepoTags: list(z.string()),
  RepoDigests: list(z.string()),
  Created: z.nullish(z.string()),
  Size: count,
  Architecture: text,
  Os: text,
  Author: text,
  Config: z.nullish(
    z.object({
      Env: list(z.string()),
      Cmd: list(z.string()),
      Entrypoint: list(z.string()),
      WorkingDir: text,
      User: text,
      ExposedPorts: record(z.unknown()),
      Volumes: record(z.unknown()),
      Labels: record(z.string()),
    }),
  ),
  RootFS: z.nullish(z.object({ Layers: list(z.string()) })),
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
  CreatedAt: z.nullish(z.string()),
  Scope: text,
  Labels: record(z.string()),
  Options: record(z.string()),
  UsageData: z.nullish(z.object({ Size: count, RefCount: count })),
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
