// Asks the guard rails about a container: as it would be started, and as it is started.
import { realpathSync, statSync } from "node:fs";
import type { GuardAllow } from "@flotilla/protocol";
import type { BindFact, DeviceNumber, GuardFacts, Violation } from "../guard/guard-facts.ts";
import { findRootViolations } from "../guard/bind-rules.ts";
import { assertWithin } from "../guard/limits.ts";
import { refuseViolations } from "../guard/refuse-violations.ts";
import { findViolations } from "../guard/violations.ts";
import type { OciSpec } from "../runtime/oci-spec.ts";
import { resolveSeccomp } from "../runtime/seccomp.ts";
import { buildSpec } from "../runtime/spec.ts";
import type { SpecDevice, SpecMount } from "../runtime/spec-input.ts";
import { type EngineContext, machineOf, namespaceCgroup } from "./context.ts";
import { type Donors, joinedOfHost, planNamespaces } from "./donors.ts";
import { planDevices } from "./plan-devices.ts";
import { planPorts } from "./port-specs.ts";
import type { ContainerRecord, RecordedMount } from "./record.ts";

/** A container as guard rails look at it before there is one. */
type Planned = Omit<ContainerRecord, "mounts"> & { mounts: readonly RecordedMount[] };

/** What mounts of the host are there for by the engine's own doing, when a container may use the host's namespaces. */
const HOST_MOUNTS: readonly string[] = ["/sys", "/dev/shm", "/dev/mqueue"];
const NO_DEVICE = -1;

/**
 * Refuses to make or to change a container that its namespace may not have. Nothing is made for it.
 * @throws forbidden, unless the container is exempt.
 */
export function assertAllowed(context: EngineContext, record: Planned): void {
  if (record.isExempt) return;
  refuseViolations(record.namespace, planViolations(context, record));
  assertWithin(context.guards.of(record.namespace).limits, record.hostConfig, planPorts(record.config, record.hostConfig));
}

/**
 * Refuses somebody who is bound to enter a container that they could not have made: what it has would be theirs.
 * @throws forbidden.
 */
export function assertEnterable(context: EngineContext, record: ContainerRecord, how: { isPrivileged: boolean }): void {
  const { allow } = context.guards.of(record.namespace);
  if (how.isPrivileged && !allow.privileged) {
    refuseViolations(record.namespace, [{ rule: "privileged", value: "true", message: "a privileged exec" }]);
  }
  refuseViolations(record.namespace, planViolations(context, { ...record, cgroupPath: boundPath(context, record) }));
}

/** Whether a container has what its namespace may not have. */
export function isBeyondGuard(context: EngineContext, record: ContainerRecord): boolean {
  return planViolations(context, { ...record, cgroupPath: boundPath(context, record) }).length > 0;
}

/** The finished specification, just before the runtime gets it. @throws forbidden, unless the container is exempt. */
export function assertSpecAllowed(
  context: EngineContext,
  record: ContainerRecord,
  given: { spec: OciSpec; binds: ReadonlyMap<string, BindFact>; ownSources: readonly string[] },
): void {
  if (record.isExempt) return;
  const { limits } = context.guards.of(record.namespace);
  const facts = { ...factsOf(context, record, given.spec), binds: given.binds, ownSources: new Set([...given.ownSources, ...HOST_MOUNTS]) };
  refuseViolations(record.namespace, findViolations(given.spec, allowOf(context, record.namespace), facts));
  assertWithin(limits, record.hostConfig, planPorts(record.config, record.hostConfig));
}

/** One mount, where it leads at this moment. @throws forbidden, unless the container is exempt. */
export function assertBindAllowed(context: EngineContext, record: ContainerRecord, fact: BindFact): void {
  if (record.isExempt) return;
  refuseViolations(record.namespace, findRootViolations(fact, allowOf(context, record.namespace), enginePaths(context)));
}

/** Where an exempt container is in the cgroups says nothing about what it may do. */
const boundPath = (context: EngineContext, { namespace, id }: ContainerRecord): string =>
  `${namespaceCgroup(context.config, namespace)}/${id}`;

/** The guard rail with the roots of mounts as they are, without links. */
function allowOf(context: EngineContext, namespace: string): GuardAllow {
  const { allow } = context.guards.of(namespace);
  return { ...allow, binds: allow.binds.map((root) => realPathOf(root) ?? root) };
}

function planViolations(context: EngineContext, record: Planned): Violation[] {
  const { facts } = machineOf(context);
  const userBinds = record.mounts.filter((mount) => mount.type === "bind" && !mount.isOwn).map(({ source }) => source);
  const mounts = record.mounts.map(plannedMount);
  const hasOwnNetwork = record.hostConfig.NetworkMode !== "host";
  const { spec } = buildSpec({
    rootfs: "/",
    config: record.config,
    hostConfig: record.hostConfig,
    args: [record.path, ...record.args],
    user: { uid: 0, gid: 0, home: "/" },
    hostname: record.config.Hostname,
    namespaces: planNamespaces(record, plannedDonors(context, record), hasOwnNetwork ? "planned" : undefined),
    mounts,
    shmPath: undefined,
    devices: plannedDevices(record),
    blockDevices: new Map(),
    cgroupPath: record.cgroupPath,
    facts,
  });
  const own = mounts.flatMap((mount) => (mount.kind === "bind" ? [mount.source] : []));
  return findViolations(spec, allowOf(context, record.namespace), {
    ...factsOf(context, record, spec),
    binds: new Map(userBinds.map((source) => [source, lookAt(source)])),
    ownSources: new Set([...own, ...HOST_MOUNTS]),
  });
}

function factsOf(context: EngineContext, record: Planned, spec: OciSpec): Omit<GuardFacts, "binds" | "ownSources"> {
  const { facts } = machineOf(context);
  const capabilities = spec.process.capabilities?.bounding ?? [];
  return {
    joined: joinedOfHost(context, record),
    devices: allowedDevices(context.guards.of(record.namespace).allow),
    seccomp:
      facts.seccompProfile === undefined
        ? undefined
        : resolveSeccomp(facts.seccompProfile, { capabilities, architecture: facts.architecture, kernelRelease: facts.kernelRelease }),
    enginePaths: enginePaths(context),
    cgroupParent: namespaceCgroup(context.config, record.namespace),
    hasCgroupNamespaces: facts.cgroupMode === "v2",
  };
}

/** Sockets of other engines and of the machine's own manager: whoever speaks to one is root. */
const OTHER_ENGINES: readonly string[] = [
  "/run/docker.sock",
  "/run/containerd",
  "/run/crio",
  "/run/podman",
  "/run/dbus/system_bus_socket",
  "/run/systemd/private",
];

function enginePaths({ config }: EngineContext): string[] {
  return [config.runDir, config.dataDir, ...OTHER_ENGINES].map((path) => realPathOf(path) ?? path);
}

function plannedMount(mount: RecordedMount): SpecMount {
  if (mount.type === "tmpfs") return { kind: "tmpfs", destination: mount.destination, options: mount.options };
  const { destination, isReadOnly, isRecursive, isReadOnlyRecursive, propagation } = mount;
  const source = mount.type === "bind" ? mount.source : `volume:${mount.name}`;
  return { kind: "bind", source, destination, isReadOnly, isRecursive, isReadOnlyRecursive, propagation };
}

/** Joined containers need not run yet; which of the host's namespaces they have is `joinedOfHost`'s to say. */
function plannedDonors(context: EngineContext, record: Planned): Donors {
  const find = (mode: string): ContainerRecord | undefined =>
    mode.startsWith("container:") ? context.store.byId(mode.slice("container:".length)) : undefined;
  const { NetworkMode, PidMode, IpcMode } = record.hostConfig;
  const [network, pid, ipc] = [find(NetworkMode), find(PidMode), find(IpcMode)];
  return { ...(network && { network }), ...(pid && { pid }), ...(ipc && { ipc }) };
}

/** Devices that are not there are no allowed ones: whether a device exists is not for everybody to find out. */
function plannedDevices({ hostConfig }: Planned): SpecDevice[] {
  return (hostConfig.Devices ?? []).flatMap((device) => {
    try {
      return planDevices({ ...hostConfig, Privileged: false, Devices: [device] });
    } catch {
      const numbers = { type: "c", major: NO_DEVICE, minor: NO_DEVICE, fileMode: 0, uid: 0, gid: 0 } as const;
      return [{ ...numbers, path: device.PathOnHost, access: "rwm" }];
    }
  });
}

function allowedDevices(allow: GuardAllow): DeviceNumber[] {
  return allow.devices.flatMap((path) => {
    try {
      return planDevices({ Privileged: false, Devices: [{ PathOnHost: path, PathInContainer: "", CgroupPermissions: "" }] });
    } catch {
      return [];
    }
  });
}

function lookAt(source: string): BindFact {
  const realPath = realPathOf(source);
  return {
    asked: source,
    realPath,
    isSocket: realPath !== undefined && statSync(realPath, { throwIfNoEntry: false })?.isSocket() === true,
  };
}

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}
