// What the host makes for a container just before its start: mounted root, network, files, and the specification that
// joins them. Everything here is undone by releaseParts().
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { hostname as hostHostname } from "node:os";
import { join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { findInit } from "../host/find-init.ts";
import { mount } from "../host/libc.ts";
import { readTextInRoot, resolveInRoot } from "../host/rooted-path.ts";
import { findDevice } from "../host/devices.ts";
import type { SpecResult } from "../runtime/spec.ts";
import { buildSpec } from "../runtime/spec.ts";
import type { NamespaceChoice, SpecMount, SpecNamespaces } from "../runtime/spec-input.ts";
import { containerPaths, type EngineContext, machineOf } from "./context.ts";
import { writeHosts, writeResolvConf } from "./hosts-file.ts";
import { findLinks, linkEnvironment } from "./links.ts";
import { planDevices } from "./plan-devices.ts";
import { planPorts } from "./port-specs.ts";
import { type ContainerRecord, isAlive, type RecordedAttachment } from "./record.ts";
import { resolveUser } from "./resolve-user.ts";

const PASSWD_MAX_BYTES = 4 * 1024 * 1024;
const INIT_PATH = "/sbin/docker-init";

export type Prepared = SpecResult & { attachment: RecordedAttachment | null };

/** Mounts, attaches, writes the files, and builds the specification. @throws what any of these refuses. */
export async function prepareStart(context: EngineContext, record: ContainerRecord): Promise<Prepared> {
  const { facts } = machineOf(context);
  const paths = containerPaths(context.config, record.id);
  mkdirSync(paths.bundleDir, { recursive: true, mode: 0o710 });
  mkdirSync(paths.dataDir, { recursive: true, mode: 0o710 });
  const donors = findDonors(context, record);
  const linked = findLinks(context, record).flatMap((link) => linkEnvironment(link, record.name));
  const [root, network] = await Promise.allSettled([context.images.mountRootfs(record.id), attachNetwork(context, record)]);
  if (root.status === "rejected") throw root.reason;
  if (network.status === "rejected") throw network.reason;
  const attachment = network.value;
  const hostname = donors.network === undefined ? record.config.Hostname : donors.network.config.Hostname;
  if (donors.network === undefined) writeNetworkFiles(context, record, attachment);
  const user = resolveUser({
    user: record.config.User,
    groupAdd: record.hostConfig.GroupAdd ?? [],
    passwd: readTextInRoot(root.value, "/etc/passwd", PASSWD_MAX_BYTES) ?? "",
    group: readTextInRoot(root.value, "/etc/group", PASSWD_MAX_BYTES) ?? "",
  });
  const result = buildSpec({
    rootfs: root.value,
    config: { ...record.config, Env: [...linked, ...(record.config.Env ?? [])] },
    hostConfig: record.hostConfig,
    args: [...(record.hostConfig.Init === true ? [INIT_PATH, "--"] : []), record.path, ...record.args],
    user,
    hostname,
    namespaces: planNamespaces(record, donors, attachment),
    mounts: [...fileMounts(context, record, donors.network), ...initMounts(record), ...recordedMounts(context, record)],
    shmPath: shmPathOf(context, record, donors.ipc),
    devices: planDevices(record.hostConfig),
    blockDevices: blockDevicesOf(record),
    cgroupPath: record.cgroupPath,
    facts,
  });
  return { ...result, attachment };
}

type Donors = { network?: ContainerRecord; pid?: ContainerRecord; ipc?: ContainerRecord };

/** The containers whose namespaces this one joins; they must run. */
function findDonors(context: EngineContext, record: ContainerRecord): Donors {
  const find = (mode: string, what: string): ContainerRecord | undefined => {
    if (!mode.startsWith("container:")) return undefined;
    const donor = context.store.get(record.namespace, mode.slice("container:".length));
    if (!isAlive(donor)) throw new FlotillaError("conflict", `cannot join ${what} of a non running container: ${donor.id}`);
    return donor;
  };
  const network = find(record.hostConfig.NetworkMode, "network namespace");
  const pid = find(record.hostConfig.PidMode, "PID namespace");
  const ipc = find(record.hostConfig.IpcMode, "IPC namespace");
  if (ipc !== undefined && !["shareable", "host"].includes(ipc.hostConfig.IpcMode)) {
    throw new FlotillaError(
      "invalid",
      `can't join IPC of container ${ipc.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    );
  }
  return { ...(network && { network }), ...(pid && { pid }), ...(ipc && { ipc }) };
}

/** A network namespace of its own with endpoints and ports; nothing when it uses the host's or another container's. */
async function attachNetwork(context: EngineContext, record: ContainerRecord): Promise<RecordedAttachment | null> {
  const mode = record.hostConfig.NetworkMode;
  if (mode === "host" || mode.startsWith("container:")) return null;
  return await context.networks.attach({
    namespace: record.namespace,
    containerId: record.id,
    containerName: record.name,
    hostname: record.config.Hostname,
    endpoints: record.endpoints,
    ports: mode === "none" ? [] : planPorts(record.config, record.hostConfig),
    dnsServers: record.hostConfig.Dns ?? [],
  });
}

function planNamespaces(record: ContainerRecord, donors: Donors, attachment: RecordedAttachment | null): SpecNamespaces {
  const { hostConfig } = record;
  const joined = (donor: ContainerRecord | undefined, file: string): NamespaceChoice | undefined =>
    donor === undefined ? undefined : { kind: "path", path: `/proc/${donor.pid}/ns/${file}` };
  const ownOrHost = (mode: string): NamespaceChoice => (mode === "host" ? { kind: "host" } : { kind: "private" });
  const isOnHostNetwork = hostConfig.NetworkMode === "host";
  return {
    network: joined(donors.network, "net") ?? (attachment === null ? { kind: "host" } : { kind: "path", path: attachment.netnsPath }),
    pid: joined(donors.pid, "pid") ?? ownOrHost(hostConfig.PidMode),
    ipc: joined(donors.ipc, "ipc") ?? ownOrHost(hostConfig.IpcMode),
    // As in Docker, a container on the host's network keeps a hostname of its own unless it asks for the host's.
    uts:
      joined(donors.network, "uts") ??
      (isOnHostNetwork && record.config.Hostname === hostHostname() ? { kind: "host" } : ownOrHost(hostConfig.UTSMode)),
    cgroup: ownOrHost(hostConfig.CgroupnsMode),
  };
}

function writeNetworkFiles(context: EngineContext, record: ContainerRecord, attachment: RecordedAttachment | null): void {
  const paths = containerPaths(context.config, record.id);
  writeFileSync(paths.hostnamePath, `${record.config.Hostname}\n`);
  writeHosts(context, record, attachment);
  writeResolvConf(context, record, attachment);
}

const bind = (source: string, destination: string, isReadOnly: boolean): SpecMount => ({
  kind: "bind",
  source,
  destination,
  isReadOnly,
  isRecursive: true,
  isReadOnlyRecursive: false,
  propagation: "rprivate",
});

function fileMounts(context: EngineContext, record: ContainerRecord, networkDonor: ContainerRecord | undefined): SpecMount[] {
  const paths = containerPaths(context.config, (networkDonor ?? record).id);
  const taken = new Set(record.mounts.map((mount) => mount.destination));
  const isReadOnly = record.hostConfig.ReadonlyRootfs;
  const files: [string, string][] = [
    [paths.resolvConfPath, "/etc/resolv.conf"],
    [paths.hostnamePath, "/etc/hostname"],
    [paths.hostsPath, "/etc/hosts"],
  ];
  return files.filter(([, destination]) => !taken.has(destination)).map(([source, destination]) => bind(source, destination, isReadOnly));
}

const initMounts = (record: ContainerRecord): SpecMount[] => (record.hostConfig.Init === true ? [bind(findInit(), INIT_PATH, true)] : []);

function recordedMounts(context: EngineContext, record: ContainerRecord): SpecMount[] {
  return record.mounts.map((mount): SpecMount => {
    if (mount.type === "tmpfs") return { kind: "tmpfs", destination: mount.destination, options: mount.options };
    const source = mount.type === "bind" ? existingBindSource(mount.source) : volumeSource(context, record, mount);
    return {
      kind: "bind",
      source,
      destination: mount.destination,
      isReadOnly: mount.isReadOnly,
      isRecursive: mount.isRecursive,
      // crun 1.8 opens what it makes read-only with all that is below as a directory: nothing is below a file.
      isReadOnlyRecursive: mount.isReadOnlyRecursive && statSync(source).isDirectory(),
      propagation: mount.propagation === "" ? "rprivate" : mount.propagation,
    };
  });
}

function existingBindSource(source: string): string {
  try {
    statSync(source);
    return source;
  } catch {
    throw new FlotillaError("invalid", `invalid mount config for type "bind": bind source path does not exist: ${source}`);
  }
}

function volumeSource(context: EngineContext, record: ContainerRecord, mount: { name: string; subpath: string }): string {
  const root = context.volumes.path(record.namespace, mount.name);
  if (mount.subpath === "") return root;
  const source = resolveInRoot(root, mount.subpath);
  try {
    statSync(source);
    return source;
  } catch {
    throw new FlotillaError("invalid", `cannot access path ${join(root, mount.subpath)}: no such file or directory`);
  }
}

/** Only a shareable /dev/shm needs a place on the host: a mount of another mount namespace cannot be bound. */
function shmPathOf(context: EngineContext, record: ContainerRecord, donor: ContainerRecord | undefined): string | undefined {
  if (donor !== undefined) return donor.hostConfig.IpcMode === "host" ? "/dev/shm" : containerPaths(context.config, donor.id).shmPath;
  if (record.hostConfig.IpcMode !== "shareable") return undefined;
  const target = containerPaths(context.config, record.id).shmPath;
  mkdirSync(target, { recursive: true });
  mount({ source: "shm", target, type: "tmpfs", flags: NOSUID_NODEV_NOEXEC, data: `mode=1777,size=${record.hostConfig.ShmSize}` });
  return target;
}

const NOSUID_NODEV_NOEXEC = 0x2 | 0x4 | 0x8;

function blockDevicesOf(record: ContainerRecord): Map<string, { major: number; minor: number }> {
  const { hostConfig } = record;
  const entries = [
    ...(hostConfig.BlkioWeightDevice ?? []),
    ...(hostConfig.BlkioDeviceReadBps ?? []),
    ...(hostConfig.BlkioDeviceWriteBps ?? []),
    ...(hostConfig.BlkioDeviceReadIOps ?? []),
    ...(hostConfig.BlkioDeviceWriteIOps ?? []),
  ];
  return new Map(
    entries.map(({ Path: path }) => {
      const device = findDevice(path);
      if (device === undefined) throw new FlotillaError("invalid", `error stating device ${path}: no such file or directory`);
      return [path, { major: device.major, minor: device.minor }];
    }),
  );
}
