// A service of a compose project as the body of `POST /containers/create`, without image, networks, secrets and configs. Pure; equal
// services give equal bodies, byte for byte.
import type { Project, Service } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import type { ResourceBody } from "@flotilla/protocol";

const NS_PER_MS = 1_000_000;
const NANO_CPUS = 1_000_000_000;

/** @throws not_found for a service that the project does not have. */
export function toContainerBody(project: Project, name: string): ResourceBody {
  const service = project.services[name];
  if (service === undefined) throw new FlotillaError("not_found", `no such service: ${name}`);
  return clean({
    Hostname: service.hostname,
    Domainname: service.domainname,
    User: service.user,
    Tty: service.tty,
    OpenStdin: service.stdinOpen,
    Env: Object.entries(service.environment).map(([key, value]) => (value === null ? key : `${key}=${value}`)),
    Cmd: service.command,
    Entrypoint: service.entrypoint,
    WorkingDir: service.workingDir,
    Labels: service.labels,
    StopSignal: service.stopSignal,
    StopTimeout: service.stopGracePeriodMs === undefined ? undefined : Math.ceil(service.stopGracePeriodMs / 1_000),
    ExposedPorts: exposed(service),
    Healthcheck: healthcheck(service),
    HostConfig: clean({ ...limits(service), ...isolation(service), ...mounts(project, service), ...hostNetwork(service) }),
  });
}

/** JSON without what is undefined. */
function clean(body: Record<string, unknown>): ResourceBody {
  return JSON.parse(JSON.stringify(body)) as ResourceBody;
}

function exposed({ expose, ports }: Service): Record<string, object> {
  const all = [...expose, ...ports.filter(({ mode }) => mode === "host").map(({ target, protocol }) => `${target}/${protocol}`)];
  return Object.fromEntries(all.map((port) => [port.includes("/") ? port : `${port}/tcp`, {}]));
}

function healthcheck({ healthcheck: check }: Service): object | undefined {
  if (check === undefined) return undefined;
  const ns = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.round(ms * NS_PER_MS));
  return clean({
    Test: check.test,
    Interval: ns(check.intervalMs),
    Timeout: ns(check.timeoutMs),
    StartPeriod: ns(check.startPeriodMs),
    StartInterval: ns(check.startIntervalMs),
    Retries: check.retries,
  });
}

function limits(service: Service): Record<string, unknown> {
  const { limits: most, reservations } = service.deploy.resources;
  return {
    NanoCpus: most.cpus === undefined ? undefined : Math.round(most.cpus * NANO_CPUS),
    Memory: most.memoryBytes,
    MemoryReservation: reservations.memoryBytes,
    MemorySwap: service.memswapLimitBytes,
    PidsLimit: most.pids,
    CpuShares: service.cpuShares,
    CpusetCpus: service.cpuset,
    ShmSize: service.shmSizeBytes,
    OomScoreAdj: service.oomScoreAdj,
    Ulimits: Object.entries(service.ulimits).map(([Name, { soft, hard }]) => ({ Name, Soft: soft, Hard: hard })),
    LogConfig: service.logging === undefined ? undefined : { Type: service.logging.driver ?? "", Config: service.logging.options },
  };
}

function isolation(service: Service): Record<string, unknown> {
  return {
    Privileged: service.isPrivileged,
    ReadonlyRootfs: service.isReadOnly,
    Init: service.init,
    CapAdd: service.capAdd,
    CapDrop: service.capDrop,
    SecurityOpt: service.securityOpt,
    GroupAdd: service.groupAdd,
    Sysctls: service.sysctls,
    IpcMode: service.ipc,
    PidMode: service.pid,
    UTSMode: service.uts,
    CgroupnsMode: service.cgroup,
    Devices: service.devices.map(({ source, target, permissions }) => ({
      PathOnHost: source,
      PathInContainer: target,
      CgroupPermissions: permissions,
    })),
  };
}

function mounts(project: Project, service: Service): Record<string, unknown> {
  const list = service.volumes.map((mount) => {
    const common = { Type: mount.type, Target: mount.target, ReadOnly: mount.isReadOnly };
    if (mount.type === "bind")
      return clean({
        ...common,
        Source: mount.source,
        BindOptions: { CreateMountpoint: mount.createHostPath, Propagation: mount.propagation },
      });
    if (mount.type === "tmpfs") return clean({ ...common, TmpfsOptions: { SizeBytes: mount.sizeBytes, Mode: mount.mode } });
    const volume = mount.source === undefined ? undefined : project.volumes[mount.source];
    const labels = { ...volume?.labels, "com.docker.compose.project": project.name, "com.docker.compose.volume": mount.source ?? "" };
    const options = { NoCopy: mount.noCopy, Subpath: mount.subpath, Labels: mount.source === undefined ? undefined : labels };
    const driver = volume?.driver === undefined ? {} : { DriverConfig: { Name: volume.driver, Options: volume.driverOpts } };
    return clean({ ...common, Source: volume?.name ?? mount.source, VolumeOptions: { ...options, ...driver } });
  });
  return { Mounts: list, Tmpfs: service.tmpfs };
}

/** Ports of the host that runs the replica; those of all hosts belong to the service's virtual address. */
function hostNetwork(service: Service): Record<string, unknown> {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { target, protocol, published, hostIp, mode } of service.ports) {
    if (mode !== "host") continue;
    (bindings[`${target}/${protocol}`] ??= []).push({ HostIp: hostIp ?? "", HostPort: published === undefined ? "" : String(published) });
  }
  return {
    NetworkMode: service.networkMode,
    PortBindings: bindings,
    Dns: service.dns,
    DnsSearch: service.dnsSearch,
    DnsOptions: service.dnsOpt,
    ExtraHosts: service.extraHosts,
  };
}
