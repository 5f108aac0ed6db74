import {
  type ContainerInspect,
  type ContainerState,
  EndpointSettings,
  type MountPoint,
  type NetworkSettings,
  type PortMap,
} from "@flotilla/engine-api";
import { containerPaths, type EngineContext } from "./context.ts";
import { showLinks } from "./links.ts";
import { type ContainerRecord, isAlive, isRunning, type RecordedAttachment, type RecordedEndpoint, type RecordedMount } from "./record.ts";

const ZERO_TIME = "0001-01-01T00:00:00Z";

/** RFC 3339, as Go prints it; 0 is Go's zero time. */
export function formatTime(ms: number): string {
  return ms === 0 ? ZERO_TIME : new Date(ms).toISOString();
}

/** `docker inspect` of a container, but for sizes and execs, which others know. */
export function inspectRecord(context: EngineContext, record: ContainerRecord): ContainerInspect {
  const paths = containerPaths(context.config, record.id);
  return {
    Id: record.id,
    Created: formatTime(record.createdAtMs),
    Path: record.path,
    Args: record.args,
    State: stateOf(record),
    Image: record.imageId,
    ResolvConfPath: paths.resolvConfPath,
    HostnamePath: paths.hostnamePath,
    HostsPath: paths.hostsPath,
    LogPath: paths.logPath,
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: "overlay2",
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: null,
    HostConfig: { ...record.hostConfig, Links: showLinks(context, record) },
    GraphDriver: { Name: "overlay2", Data: { MergedDir: context.images.rootfsPath(record.id) } },
    Mounts: record.mounts
      .filter((mount) => mount.type !== "tmpfs" || mount.isMountRequest)
      .map((mount) => mountPoint(context, record, mount)),
    Config: record.config,
    NetworkSettings: networkSettings(record),
  };
}

function stateOf(record: ContainerRecord): ContainerState {
  return {
    Status: record.status,
    Running: isRunning(record),
    Paused: record.status === "paused",
    Restarting: record.status === "restarting",
    OOMKilled: record.isOomKilled,
    Dead: record.status === "dead",
    Pid: isAlive(record) ? record.pid : 0,
    ExitCode: record.exitCode,
    Error: record.error,
    StartedAt: formatTime(record.startedAtMs),
    FinishedAt: formatTime(record.finishedAtMs),
    ...(record.health === null ? {} : { Health: record.health }),
  };
}

/** A mount as inspect and the list show it. */
export function mountPoint(context: EngineContext, record: ContainerRecord, mount: RecordedMount): MountPoint {
  const common = { Destination: mount.destination, Mode: mount.mode, RW: !mount.isReadOnly, Propagation: mount.propagation };
  if (mount.type === "tmpfs") return { Type: "tmpfs", Source: "", ...common };
  if (mount.type === "bind") return { Type: "bind", Source: mount.source, ...common };
  return { Type: "volume", Name: mount.name, Source: volumePath(context, record, mount.name), Driver: "local", ...common };
}

function volumePath(context: EngineContext, record: ContainerRecord, name: string): string {
  try {
    return context.volumes.path(record.namespace, name);
  } catch {
    return "";
  }
}

function networkSettings(record: ContainerRecord): NetworkSettings {
  const attachment = record.attachment;
  const bridge = attachment?.endpoints.find((endpoint) => endpoint.networkName === "bridge");
  return {
    Bridge: "",
    SandboxID: attachment === null ? "" : record.id,
    SandboxKey: attachment?.netnsPath ?? "",
    Ports: attachment === null ? {} : portMap(record, attachment),
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.endpointId ?? "",
    Gateway: bridge?.gateway ?? "",
    GlobalIPv6Address: bridge?.ipv6Address ?? "",
    GlobalIPv6PrefixLen: bridge?.prefixLength6 ?? 0,
    IPAddress: bridge?.ipv4Address ?? "",
    IPPrefixLen: bridge?.prefixLength ?? 0,
    IPv6Gateway: bridge?.gateway6 ?? "",
    MacAddress: bridge?.macAddress ?? "",
    Networks: networksOf(record),
  };
}

/** Networks of a container: live while it runs, otherwise those it will have. */
export function networksOf(record: ContainerRecord): Record<string, EndpointSettings> {
  const mode = record.hostConfig.NetworkMode;
  if (mode.startsWith("container:")) return {};
  const empty = EndpointSettings.parse({});
  if (mode === "host" || mode === "none") return { [mode]: empty };
  const wishes = new Map(record.endpoints.map((endpoint) => [endpoint.networkName, wishOf(endpoint)]));
  const idle = [...wishes].map(([name, wish]) => [name, { ...empty, ...wish }] as const);
  const live = (record.attachment?.endpoints ?? []).map((endpoint) => {
    const settings: EndpointSettings = {
      ...empty,
      ...wishes.get(endpoint.networkName),
      Aliases: aliases(endpoint.aliases),
      MacAddress: endpoint.macAddress,
      NetworkID: endpoint.networkId,
      EndpointID: endpoint.endpointId,
      Gateway: endpoint.gateway,
      IPAddress: endpoint.ipv4Address,
      IPPrefixLen: endpoint.prefixLength,
      IPv6Gateway: endpoint.gateway6,
      GlobalIPv6Address: endpoint.ipv6Address,
      GlobalIPv6PrefixLen: endpoint.prefixLength6,
    };
    return [endpoint.networkName, settings] as const;
  });
  return Object.fromEntries([...idle, ...live]);
}

/** What was asked for at create or connect. */
function wishOf(endpoint: RecordedEndpoint): Pick<EndpointSettings, "Aliases" | "Links" | "IPAMConfig"> {
  const { ipv4Address, ipv6Address } = endpoint;
  return {
    Aliases: aliases(endpoint.aliases),
    Links: aliases(endpoint.links ?? []),
    IPAMConfig: ipv4Address === undefined && ipv6Address === undefined ? null : { IPv4Address: ipv4Address, IPv6Address: ipv6Address },
  };
}

const aliases = (names: readonly string[]): string[] | null => (names.length === 0 ? null : [...names]);

/** "80/tcp" → where it is published; `null` for a port that is only exposed. */
function portMap(record: ContainerRecord, attachment: RecordedAttachment): PortMap {
  const map: PortMap = {};
  for (const key of Object.keys(record.config.ExposedPorts ?? {})) map[key] = null;
  for (const port of attachment.ports) {
    const key = `${port.containerPort}/${port.protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: port.hostIp === "" ? "0.0.0.0" : port.hostIp, HostPort: String(port.hostPort) }];
  }
  return map;
}
