import { randomBytes } from "node:crypto";
import { mkdirSync, statSync } from "node:fs";
import { availableParallelism, hostname } from "node:os";
import { FlotillaError, isFlotillaError } from "@flotilla/core";
import { type ContainerConfig, type ContainerCreateBody, ContainerConfig as ContainerConfigSchema, HostConfig } from "@flotilla/engine-api";
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from "../runtime/spec.ts";
import { assertRoom } from "../guard/limits.ts";
import { cgroupParent, containerPaths, type EngineContext, machineOf, namespaceCgroup, publish } from "./context.ts";
import { assertAllowed } from "./guard-container.ts";
import { commandLine, mergeImageConfig } from "./merge-image-config.ts";
import { parseContainerLink, recordLinks } from "./links.ts";
import { planMountRequests, type PlannedMount } from "./mount-requests.ts";
import { parseContainerName, randomName } from "./names.ts";
import { missingSource } from "./pinned-sources.ts";
import type { ResolvedImage } from "./ports.ts";
import type { ContainerRecord, RecordedEndpoint, RecordedMount } from "./record.ts";
import { destroyParts } from "./remove-container.ts";
import { validateCreate } from "./validate-create.ts";

const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

export type CreateRequest = {
  namespace: string;
  name: string | undefined;
  body: ContainerCreateBody;
  /** Guard rails do not bind whoever asks. */
  isExempt: boolean;
  /** Sources of binds that the engine itself made for this container. */
  ownSources?: readonly string[];
};

/**
 * Makes a container: record, volumes, writable layer. Everything is validated before anything is made; what fails later
 * takes back what was made before it.
 */
export async function createContainer(context: EngineContext, request: CreateRequest): Promise<{ Id: string; Warnings: string[] }> {
  const { namespace, body } = request;
  if (body.Image === "") throw new FlotillaError("invalid", "no image specified: the field Image is empty");
  const image = context.images.resolve(namespace, body.Image);
  const id = randomBytes(32).toString("hex");
  const name = request.name === undefined || request.name === "" ? freeName(context, namespace) : parseContainerName(request.name);
  context.store.assertNameFree(namespace, name);
  const { config, hostConfig, command, mounts, endpoints } = referring(() => {
    const normalised = normalise(context, request, { image, id });
    const inherited = inheritedMounts(context, namespace, normalised.hostConfig.VolumesFrom ?? []);
    const mounts = planMountRequests(normalised.config, normalised.hostConfig, inherited).map((mount) =>
      mount.type === "bind" && request.ownSources?.includes(mount.source) === true ? { ...mount, isOwn: true } : mount,
    );
    const endpoints = planEndpoints(context, { namespace, body, hostConfig: normalised.hostConfig });
    // Where there are names a link is one of them; the default bridge has none.
    const isOnBridge = endpoints[0]?.networkName === "bridge";
    const Links = isOnBridge ? recordLinks(context, namespace, normalised.hostConfig.Links ?? []) : [];
    return { ...normalised, mounts, endpoints, hostConfig: { ...normalised.hostConfig, Links } };
  });
  const record: ContainerRecord = {
    ...NEW,
    id,
    namespace,
    name,
    createdAtMs: context.clock.nowMs(),
    imageReference: image.reference,
    imageId: image.id,
    ...command,
    config,
    hostConfig,
    endpoints,
    mounts: [],
    cgroupPath: cgroupPathOf(context, request, { hostConfig, id }),
    isExempt: request.isExempt,
  };
  // Before anything of the host is looked at: what a guard rail refuses says nothing about what is there.
  assertAllowed(context, { ...record, mounts });
  for (const mount of mounts) checkBindSource(mount, request.isExempt);
  if (!request.isExempt) assertRoom(context.guards.of(namespace).limits, namespace, countBound(context, namespace));
  context.store.insert(record);
  try {
    mkdirSync(containerPaths(context.config, id).dataDir, { recursive: true, mode: 0o710 });
    await Promise.all([context.images.prepareRootfs(id, image.id), ensureVolumes(context, record, mounts)]);
    await copyUpVolumes(context, context.store.update(id, {}));
    const created = context.store.update(id, { intent: "none" });
    context.images.markUsed(namespace, image.id);
    publish(context, created, { action: "create" });
    return { Id: id, Warnings: warningsOf(hostConfig) };
  } catch (error) {
    await destroyParts(context, context.store.byId(id) ?? record, { removesVolumes: true });
    context.store.delete(id);
    throw error;
  }
}

/**
 * A network or container that a request names and that is not there makes the request invalid. "Not found" would mean the
 * image to the docker command, which would pull it and try again.
 */
function referring<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (isFlotillaError(error, "not_found")) throw new FlotillaError("invalid", error.message, { cause: error });
    throw error;
  }
}

const NEW = {
  version: 1,
  status: "created",
  intent: "create",
  pid: 0,
  pidStartTicks: 0,
  startedAtMs: 0,
  finishedAtMs: 0,
  exitCode: 0,
  error: "",
  isOomKilled: false,
  restartCount: 0,
  restartDelayMs: 0,
  isManuallyStopped: false,
  attachment: null,
  health: null,
} as const satisfies Partial<ContainerRecord>;

function freeName(context: EngineContext, namespace: string): string {
  for (let attempt = 0; ; attempt += 1) {
    const name = randomName(attempt, () => randomBytes(4).readUInt32BE(0) / 2 ** 32);
    if (!context.store.hasName(namespace, name)) return name;
  }
}

type Normalised = { config: ContainerConfig; hostConfig: HostConfig; command: { path: string; args: string[] } };

/** Configuration as it is recorded and as inspect shows it: merged with the image's, Docker's defaults filled in. */
function normalise(context: EngineContext, request: CreateRequest, made: { image: ResolvedImage; id: string }): Normalised {
  const given = request.body.HostConfig ?? HostConfig.parse({});
  const own = ContainerConfigSchema.parse(request.body);
  const config = mergeImageConfig(own, made.image.config);
  validateCreate({ ...config, Hostname: own.Hostname }, given, { cpus: availableParallelism() });
  const command = commandLine(config);
  if (command === undefined) throw new FlotillaError("invalid", "no command specified");
  const networkMode = given.NetworkMode === "" || given.NetworkMode === "default" ? "bridge" : given.NetworkMode;
  const isV2 = machineOf(context).cgroups.mode === "v2";
  const hostConfig: HostConfig = {
    ...given,
    NetworkMode: resolveContainerMode(context, request.namespace, networkMode),
    PidMode: resolveContainerMode(context, request.namespace, given.PidMode),
    IpcMode: resolveContainerMode(context, request.namespace, given.IpcMode === "" ? "private" : given.IpcMode),
    CgroupnsMode: given.CgroupnsMode === "" ? (isV2 && !given.Privileged ? "private" : "host") : given.CgroupnsMode,
    RestartPolicy: { ...given.RestartPolicy, Name: given.RestartPolicy.Name === "" ? "no" : given.RestartPolicy.Name },
    LogConfig: { ...given.LogConfig, Type: given.LogConfig.Type === "" ? "json-file" : given.LogConfig.Type },
    ShmSize: given.ShmSize === 0 ? DEFAULT_SHM_BYTES : given.ShmSize,
    Runtime: given.Runtime === "" ? "runc" : given.Runtime,
    MemorySwap: given.MemorySwap === 0 && given.Memory > 0 ? given.Memory * 2 : given.MemorySwap,
    MemorySwappiness: given.MemorySwappiness === -1 ? null : given.MemorySwappiness,
    PidsLimit: given.PidsLimit === 0 ? null : given.PidsLimit,
    MaskedPaths: given.Privileged ? null : (given.MaskedPaths ?? [...DEFAULT_MASKED_PATHS]),
    ReadonlyPaths: given.Privileged ? null : (given.ReadonlyPaths ?? [...DEFAULT_READONLY_PATHS]),
  };
  return { config: { ...config, Hostname: hostnameFor(own.Hostname, hostConfig, made.id) }, hostConfig, command };
}

function hostnameFor(wanted: string, hostConfig: HostConfig, id: string): string {
  if (wanted !== "") return wanted;
  return hostConfig.NetworkMode === "host" || hostConfig.UTSMode === "host" ? hostname() : id.slice(0, 12);
}

/** `container:NAME` becomes `container:ID`, so that a rename does not change who is meant. */
function resolveContainerMode(context: EngineContext, namespace: string, mode: string): string {
  return mode.startsWith("container:") ? `container:${context.store.get(namespace, mode.slice("container:".length)).id}` : mode;
}

function planEndpoints(
  context: EngineContext,
  request: { namespace: string; body: ContainerCreateBody; hostConfig: HostConfig },
): RecordedEndpoint[] {
  const mode = request.hostConfig.NetworkMode;
  if (mode === "host" || mode === "none" || mode.startsWith("container:")) return [];
  const settings = request.body.NetworkingConfig?.EndpointsConfig ?? {};
  const primary = context.networks.resolve(request.namespace, mode).name;
  const settingsOf = (name: string) => settings[name] ?? (name === primary ? (settings[mode] ?? settings["default"]) : undefined);
  const names = new Set([primary, ...Object.keys(settings).map((name) => context.networks.resolve(request.namespace, name).name)]);
  return [...names].map((networkName) => {
    const own = settingsOf(networkName);
    const links = [...new Set([...(own?.Links ?? []), ...(networkName === primary && primary !== "bridge" ? (request.hostConfig.Links ?? []) : [])])]; // prettier-ignore
    for (const link of links) parseContainerLink(link);
    const ipv4Address = own?.IPAMConfig?.IPv4Address;
    const ipv6Address = own?.IPAMConfig?.IPv6Address;
    const macAddress = own?.MacAddress !== undefined && own.MacAddress !== "" ? own.MacAddress : request.body.MacAddress;
    return {
      networkName,
      aliases: own?.Aliases ?? [],
      ...(links.length === 0 ? {} : { links }),
      ...(ipv4Address === undefined || ipv4Address === "" ? {} : { ipv4Address }),
      ...(ipv6Address === undefined || ipv6Address === "" ? {} : { ipv6Address }),
      ...(macAddress === undefined || macAddress === "" || networkName !== primary ? {} : { macAddress }),
    };
  });
}

/**
 * A parent asked for by `--cgroup-parent` is made below this instance's own, which it must never leave, and below the
 * namespace's for those whom guard rails bind.
 */
function cgroupPathOf(context: EngineContext, request: CreateRequest, made: { hostConfig: HostConfig; id: string }): string {
  const parts = made.hostConfig.CgroupParent.split("/").filter((part) => part !== "" && part !== "." && part !== "..");
  const base = request.isExempt ? cgroupParent(context.config) : namespaceCgroup(context.config, request.namespace);
  return [base, ...parts, made.id].join("/");
}

const countBound = (context: EngineContext, namespace: string): number =>
  context.store.everything().filter((other) => other.namespace === namespace && !other.isExempt).length;

/** `-v` makes what is missing, but not for those whom guard rails bind: a link on the way would lead anywhere. */
function checkBindSource(mount: PlannedMount, isExempt: boolean): void {
  if (mount.type !== "bind") return;
  try {
    statSync(mount.source);
  } catch {
    if (!mount.createsSource || !isExempt) throw missingSource(mount.source);
    mkdirSync(mount.source, { recursive: true, mode: 0o755 });
  }
}

function inheritedMounts(context: EngineContext, namespace: string, specs: readonly string[]): RecordedMount[] {
  return specs.flatMap((spec) => {
    const [ref = "", mode = ""] = spec.split(":");
    if (!["", "ro", "rw", "z", "Z"].includes(mode)) throw new FlotillaError("invalid", `invalid mode: ${mode}`);
    return context.store
      .get(namespace, ref)
      .mounts.filter((mount) => mount.type !== "tmpfs")
      .map((mount) => ({ ...mount, isReadOnly: mount.isReadOnly || mode === "ro", copiesUp: false }));
  });
}

/** Makes named and anonymous volumes and marks them as used, one record per mount. */
async function ensureVolumes(context: EngineContext, record: ContainerRecord, planned: readonly PlannedMount[]): Promise<void> {
  const mounts: RecordedMount[] = [];
  for (const { volume, createsSource: _createsSource, ...mount } of planned) {
    if (mount.type !== "volume") {
      mounts.push(mount);
      continue;
    }
    const request = {
      containerId: record.id,
      ...(mount.name === "" ? {} : { name: mount.name }),
      ...(volume === undefined || volume.driver === "" ? {} : { driver: volume.driver }),
      ...(volume === undefined ? {} : { driverOpts: volume.driverOpts, labels: volume.labels }),
    };
    const { name } = volume === undefined ? mount : await context.volumes.create(record.namespace, request);
    mounts.push({ ...mount, name });
    // Recorded one by one: a crash between two volumes must know of the first.
    context.store.update(record.id, { mounts: [...mounts] });
    context.volumes.acquire(record.namespace, name, record.id);
  }
  context.store.update(record.id, { mounts });
}

async function copyUpVolumes(context: EngineContext, record: ContainerRecord): Promise<void> {
  const filled = record.mounts.filter((mount) => mount.type === "volume" && mount.copiesUp);
  if (filled.length === 0) return;
  const root = await context.images.mountRootfs(record.id);
  try {
    for (const mount of filled) await context.volumes.copyUp(record.namespace, mount.name, { root, path: mount.destination });
  } finally {
    await context.images.unmountRootfs(record.id);
  }
}

function warningsOf(hostConfig: HostConfig): string[] {
  const warnings: string[] = [];
  if (hostConfig.OomKillDisable === true && hostConfig.Memory === 0) {
    warnings.push(
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    );
  }
  if (hostConfig.NetworkMode === "host" && (Object.keys(hostConfig.PortBindings).length > 0 || hostConfig.PublishAllPorts)) {
    warnings.push("Published ports are discarded when using host network mode");
  }
  return warnings;
}
