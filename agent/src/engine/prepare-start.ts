// What the host makes for a container just before its start: mounted root, network, files, and the specification that
// joins them. Everything here is undone by releaseParts().
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { FlotillaError } from "@flotilla/core";
import { findInit } from "../host/find-init.ts";
import { mount } from "../host/libc.ts";
import { readTextInRoot } from "../host/rooted-path.ts";
import { findDevice } from "../host/devices.ts";
import type { SpecResult } from "../runtime/spec.ts";
import { buildSpec } from "../runtime/spec.ts";
import type { SpecMount } from "../runtime/spec-input.ts";
import { choosePorts } from "../guard/limits.ts";
import { containerPaths, type EngineContext, machineOf } from "./context.ts";
import { findDonors, planNamespaces } from "./donors.ts";
import { assertSpecAllowed } from "./guard-container.ts";
import { writeHosts, writeResolvConf } from "./hosts-file.ts";
import { findLinks, linkEnvironment } from "./links.ts";
import { planDevices } from "./plan-devices.ts";
import type { PortBinding } from "./ports.ts";
import { missingSource, type PinnedSources } from "./pinned-sources.ts";
import { planPorts } from "./port-specs.ts";
import type { ContainerRecord, RecordedAttachment, RecordedMount } from "./record.ts";
import { resolveUser } from "./resolve-user.ts";

const PASSWD_MAX_BYTES = 4 * 1024 * 1024;
const INIT_PATH = "/sbin/docker-init";

export type Prepared = SpecResult & { attachment: RecordedAttachment | null };

/**
 * Mounts, attaches, writes the files, builds the specification and asks the guard rails about it.
 * @param pins the caller releases them when the container has its mounts. @throws what any of these refuses.
 */
export async function prepareStart(context: EngineContext, record: ContainerRecord, pins: PinnedSources): Promise<Prepared> {
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
  const ownMounts = [...fileMounts(context, record, donors.network), ...initMounts(record)];
  const shmPath = shmPathOf(context, record, donors.ipc);
  const volumeMounts = record.mounts.map((mount) => recordedMount(context, record, { mount, pins }));
  const result = buildSpec({
    rootfs: root.value,
    config: { ...record.config, Env: [...linked, ...(record.config.Env ?? [])] },
    hostConfig: record.hostConfig,
    args: [...(record.hostConfig.Init === true ? [INIT_PATH, "--"] : []), record.path, ...record.args],
    user,
    hostname,
    namespaces: planNamespaces(record, donors, attachment?.netnsPath),
    mounts: [...ownMounts, ...volumeMounts],
    shmPath,
    devices: planDevices(record.hostConfig),
    blockDevices: blockDevicesOf(record),
    cgroupPath: record.cgroupPath,
    facts,
  });
  const own = [...ownMounts, ...volumeMounts].flatMap((mount) => (mount.kind === "bind" ? [mount.source] : []));
  assertSpecAllowed(context, record, { spec: result.spec, binds: pins.binds, ownSources: shmPath === undefined ? own : [...own, shmPath] });
  return { ...result, attachment };
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
    ports: mode === "none" ? [] : portsOf(context, record),
    dnsServers: record.hostConfig.Dns ?? [],
  });
}

function portsOf(context: EngineContext, record: ContainerRecord): PortBinding[] {
  const ports = planPorts(record.config, record.hostConfig);
  return record.isExempt ? ports : choosePorts(context.guards.of(record.namespace).limits, ports);
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

function recordedMount(context: EngineContext, record: ContainerRecord, given: { mount: RecordedMount; pins: PinnedSources }): SpecMount {
  const { mount } = given;
  if (mount.type === "tmpfs") return { kind: "tmpfs", destination: mount.destination, options: mount.options };
  const source = sourceOf(context, record, given);
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
}

function sourceOf(context: EngineContext, record: ContainerRecord, given: { mount: RecordedMount; pins: PinnedSources }): string {
  const { mount, pins } = given;
  if (mount.type === "bind") return record.isExempt || mount.isOwn ? existingBindSource(mount.source) : pins.pinBind(mount.source);
  const root = context.volumes.path(record.namespace, mount.name);
  return mount.subpath === "" ? root : pins.pinSubpath(root, mount.subpath);
}

function existingBindSource(source: string): string {
  try {
    statSync(source);
    return source;
  } catch {
    throw missingSource(source);
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
