import type { RunSpec } from "./schemas.ts";

const NANO = 1_000_000_000;

/** Body of Docker's `POST /containers/create` for a run: only what was said, so that the engine's own defaults hold. */
export function toCreateBody(spec: RunSpec): Record<string, unknown> {
  return withoutUndefined({
    Image: spec.image,
    Cmd: spec.command,
    Entrypoint: spec.entrypoint,
    Env: spec.env.length === 0 ? undefined : spec.env.map(({ name, value }) => `${name}=${value}`),
    ExposedPorts:
      spec.ports.length === 0 ? undefined : Object.fromEntries(spec.ports.map((port) => [`${port.containerPort}/${port.protocol}`, {}])),
    Hostname: spec.hostname,
    User: spec.user,
    WorkingDir: spec.workingDir,
    Tty: spec.tty,
    OpenStdin: spec.interactive,
    Labels: spec.labels.length === 0 ? undefined : Object.fromEntries(spec.labels.map(({ name, value }) => [name, value])),
    StopSignal: spec.stopSignal,
    StopTimeout: spec.stopTimeoutSeconds,
    HostConfig: toHostConfig(spec),
  });
}

function toHostConfig(spec: RunSpec): Record<string, unknown> {
  return withoutUndefined({
    Mounts: spec.mounts.length === 0 ? undefined : spec.mounts.map(toMount),
    PortBindings: spec.ports.length === 0 ? undefined : toPortBindings(spec.ports),
    PublishAllPorts: spec.publishAll || undefined,
    RestartPolicy: { Name: spec.restart.name, MaximumRetryCount: spec.restart.maximumRetryCount ?? 0 },
    NetworkMode: spec.network,
    AutoRemove: spec.autoRemove || undefined,
    Privileged: spec.privileged || undefined,
    Init: spec.init || undefined,
    ReadonlyRootfs: spec.readOnly || undefined,
    Memory: spec.memoryBytes,
    NanoCpus: spec.cpus === undefined ? undefined : Math.round(spec.cpus * NANO),
    CpuShares: spec.cpuShares,
    PidsLimit: spec.pidsLimit,
    ShmSize: spec.shmSizeBytes,
    CapAdd: orUndefined(spec.capAdd),
    CapDrop: orUndefined(spec.capDrop),
    Dns: orUndefined(spec.dns),
    ExtraHosts: orUndefined(spec.extraHosts),
    SecurityOpt: orUndefined(spec.securityOpt),
    Devices: orUndefined(
      spec.devices.map((device) => ({
        PathOnHost: device.hostPath,
        PathInContainer: device.containerPath,
        CgroupPermissions: device.permissions,
      })),
    ),
    Ulimits: orUndefined(spec.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard }))),
  });
}

function toMount(mount: RunSpec["mounts"][number]): Record<string, unknown> {
  return { Type: mount.kind, Source: mount.source ?? "", Target: mount.target, ReadOnly: mount.readOnly };
}

function toPortBindings(ports: RunSpec["ports"]): Record<string, { HostIp: string; HostPort: string }[]> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports) {
    const key = `${port.containerPort}/${port.protocol}`;
    bindings[key] = [
      ...(bindings[key] ?? []),
      { HostIp: port.hostIp ?? "", HostPort: port.hostPort === undefined ? "" : String(port.hostPort) },
    ];
  }
  return bindings;
}

function orUndefined<T>(list: T[]): T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
