// What of a service the planner has to know: how many, where, how it is changed. Pure.
import type { Project, RolloutConfig, Service } from "@flotilla/compose";
import { RolloutConfig as rolloutConfig } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { findReference, formatCanonical, withDefaultTag } from "@flotilla/image";
import { type HostLossPolicy, parseConstraints, parsePreferences, type ServiceDemand, type UpdatePolicy } from "@flotilla/planner";
import type { ReplicaRestart } from "@flotilla/protocol";
import { z } from "zod";

const DEFAULT_GRACE_MS = 60_000;
const DEFAULT_DRAIN_MS = 2_000;
/** As Kubernetes' progressDeadlineSeconds. */
const DEFAULT_PROGRESS_DEADLINE_MS = 600_000;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `30s`, `5m`, or a number of seconds; in milliseconds. */
const duration = z.union([
  z
    .number()
    .min(0)
    .transform((seconds) => seconds * 1_000),
  z
    .string()
    .regex(/^\d+(ms|s|m|h)$/, "must be a duration such as 30s")
    .transform((text) => Number.parseInt(text, 10) * (UNITS[text.replace(/^\d+/, "")] ?? 1)),
]);

/** What compose has no key for: `deploy.x-flotilla` of a service. */
const ownKeys = z.strictObject({
  "on-host-loss": z.enum(["keep", "replace", "stop"]).default("replace"),
  grace: duration.default(DEFAULT_GRACE_MS),
  drain: duration.default(DEFAULT_DRAIN_MS),
  "progress-deadline": duration.default(DEFAULT_PROGRESS_DEADLINE_MS),
  strategy: z.enum(["spread", "binpack"]).default("spread"),
  canary: z
    .strictObject({
      /** A number of replicas, or a part of them such as `20%`. */
      replicas: z.union([z.int().min(1), z.string().regex(/^(100|[1-9]?\d)%$/)]),
      gate: z.enum(["manual", "health"]).default("manual"),
    })
    .optional(),
});
export type OwnKeys = z.output<typeof ownKeys>;

/** @throws invalid that names the key. */
export function readOwnKeys(name: string, service: Service): OwnKeys {
  const parsed = ownKeys.safeParse(service.deploy.extensions["x-flotilla"] ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FlotillaError("invalid", `services.${name}.deploy.x-flotilla.${issue?.path.join(".") ?? ""}: ${issue?.message ?? "invalid"}`);
}

export const isJob = ({ deploy }: Service): boolean => deploy.mode === "replicated-job" || deploy.mode === "global-job";
export const isGlobal = ({ deploy }: Service): boolean => deploy.mode === "global" || deploy.mode === "global-job";

export function updatePolicy(name: string, service: Service, isRollback: boolean): UpdatePolicy {
  const { deploy } = service;
  const config: RolloutConfig =
    (isRollback ? (deploy.rollbackConfig ?? deploy.updateConfig) : deploy.updateConfig) ?? rolloutConfig.parse({});
  const { order, parallelism, delayMs, monitorMs, maxFailureRatio, failureAction } = config;
  const { canary, "progress-deadline": progressDeadlineMs } = readOwnKeys(name, service);
  const replicas = Math.max(1, deploy.replicas);
  const count =
    typeof canary?.replicas === "string" ? Math.ceil((Number.parseInt(canary.replicas, 10) / 100) * replicas) : (canary?.replicas ?? 0);
  return {
    order,
    parallelism,
    delayMs,
    monitorMs,
    maxFailureRatio,
    progressDeadlineMs,
    onFailure: isRollback && failureAction === "rollback" ? "pause" : failureAction,
    canary: canary === undefined || isRollback ? null : { count: Math.max(1, count), gate: canary.gate },
  };
}

/** Global services have one replica for each host: there is nothing to put elsewhere. */
export function hostLossPolicy(name: string, service: Service): HostLossPolicy {
  const { "on-host-loss": action, grace } = readOwnKeys(name, service);
  return isGlobal(service) ? { action: "keep", afterMs: grace } : { action, afterMs: grace };
}

/** `restart_policy`, else `restart`. A service that says nothing is restarted, as Swarm does; a job until it has ended well. */
export function restartPolicy(service: Service): ReplicaRestart {
  const { restartPolicy: policy } = service.deploy;
  if (policy !== undefined) {
    const condition = isJob(service) && policy.condition === "any" ? "on-failure" : policy.condition;
    return { condition, delayMs: policy.delayMs, maxAttempts: policy.maxAttempts ?? null };
  }
  if (isJob(service)) return { condition: "on-failure", delayMs: 0, maxAttempts: null };
  const { restart } = service;
  if (restart === undefined) return { condition: "any", delayMs: 0, maxAttempts: null };
  if (restart.name === "no") return { condition: "none", delayMs: 0, maxAttempts: null };
  const attempts = restart.maximumRetryCount === 0 ? null : restart.maximumRetryCount;
  return { condition: restart.name === "on-failure" ? "on-failure" : "any", delayMs: 0, maxAttempts: attempts };
}

/** Real names of the named volumes that a service mounts. */
export function volumesOf(project: Project, service: Service): string[] {
  const sources = service.volumes.flatMap((mount) => (mount.type === "volume" && mount.source !== undefined ? [mount.source] : []));
  return [...new Set(sources.map((source) => project.volumes[source]?.name ?? source))].toSorted();
}

/** Whether all services of a network are bound to one and the same host: the network may be that host's own. */
export function isOfOneHost(project: Project, network: string): boolean {
  const users = Object.values(project.services).filter(({ networks }) => network in networks);
  const hosts = users.map(({ deploy }) => {
    const { constraints } = parseConstraints(deploy.placement.constraints);
    return constraints.find(({ kind, operator }) => (kind === "hostname" || kind === "id") && operator === "==")?.value;
  });
  return hosts.length > 0 && hosts[0] !== undefined && hosts.every((host) => host === hosts[0]);
}

/** @throws invalid for constraints and preferences that are none. */
export function serviceDemand(project: Project, name: string, serviceId: string): ServiceDemand {
  const service = project.services[name];
  if (service === undefined) throw new FlotillaError("not_found", `no such service: ${name}`);
  const { placement, resources } = service.deploy;
  return {
    id: serviceId,
    name,
    constraints: parseConstraints(placement.constraints).constraints,
    preferences: parsePreferences(placement.spread),
    strategy: readOwnKeys(name, service).strategy,
    maxPerHost: placement.maxReplicasPerHost === 0 ? null : placement.maxReplicasPerHost,
    cpuMillis: Math.round((resources.reservations.cpus ?? 0) * 1_000),
    memoryBytes: resources.reservations.memoryBytes ?? 0,
    hostPorts: service.ports.flatMap(({ mode, published, protocol }) =>
      mode === "host" && published !== undefined ? [`${published}/${protocol}`] : [],
    ),
    volumes: isGlobal(service) ? [] : volumesOf(project, service),
    image: canonicalImage(service.image),
    needsNetworks: Object.keys(service.networks).some((key) => project.networks[key]?.isExternal !== true || !isOfOneHost(project, key)),
  };
}

/** As hosts name what they have. */
function canonicalImage(image: string): string {
  const reference = findReference(image);
  return reference === undefined ? image : formatCanonical(withDefaultTag(reference));
}

/** What of a service a stack over many hosts does not do, in words for its owner; and what is refused. */
export function notesOf(name: string, service: Service): string[] {
  const notes = parseConstraints(service.deploy.placement.constraints).notes.map((note) => `services.${name}: ${note}`);
  const say = (isGiven: boolean, key: string, why: string): void =>
    void (isGiven && notes.push(`services.${name}.${key} is ignored: ${why}`));
  say(service.build !== undefined, "build", `hosts pull the image ${service.image}`);
  say(service.containerName !== undefined, "container_name", "replicas have names of their own");
  say(service.externalLinks.length > 0, "external_links", "use networks");
  say(service.postStart.length > 0 || service.preStop.length > 0, "post_start and pre_stop", "stacks have no hooks");
  return notes;
}

/** @throws invalid for what cannot be done over many hosts. */
export function checkService(name: string, service: Service): void {
  const refuse = (key: string, why: string): never => {
    throw new FlotillaError("invalid", `services.${name}.${key}: ${why}`);
  };
  const { networkMode, volumesFrom, pid, ipc } = service;
  if (networkMode !== undefined && !["host", "none"].includes(networkMode))
    refuse("network_mode", `${networkMode} works on one host only: use networks`);
  if (volumesFrom.length > 0) refuse("volumes_from", "works on one host only: use a named volume");
  for (const [key, value] of Object.entries({ pid, ipc }))
    if (/^(service|container):/.test(value ?? "")) refuse(key, "works on one host only");
  if (networkMode !== undefined && service.ports.some(({ mode }) => mode === "ingress"))
    refuse("ports", `cannot be published with network_mode ${networkMode}`);
  for (const port of service.ports)
    if (port.protocol === "sctp" && port.mode === "ingress") refuse("ports", "sctp is published with mode: host only");
  readOwnKeys(name, service);
  serviceDemand({ name: "", services: { [name]: service }, networks: {}, volumes: {}, secrets: {}, configs: {}, extensions: {} }, name, "");
}
