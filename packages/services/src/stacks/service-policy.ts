// What of a service the planner has to know: how many, where, how it is changed. Pure.
import type { Project, RolloutConfig, Service } from "@flotilla/compose";
import {
  composeError,
  type ComposeIssue,
  type Message,
  message,
  type MessageCode,
  RolloutConfig as rolloutConfig,
} from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import { findReference, formatCanonical, withDefaultTag } from "@flotilla/image";
import { type HostLossPolicy, parseConstraints, parsePreferences, type ServiceDemand, type UpdatePolicy } from "@flotilla/planner";
import type { ReplicaRestart } from "@flotilla/protocol";
import { z } from "zod";
import { issueAt, issuesOf, textIssue } from "./stack-issue.ts";

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
  const path = ["services", name, "deploy.x-flotilla", ...(issue?.path ?? [])].join(".");
  throw composeError([textIssue(path, issue?.message ?? "invalid")]);
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
    constraints: ofPlacement(name, "constraints", () => parseConstraints(placement.constraints).constraints),
    preferences: ofPlacement(name, "preferences", () => parsePreferences(placement.spread)),
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

/** What the planner says of a placement that is none, as an issue of its key. @throws invalid. */
function ofPlacement<T>(name: string, key: "constraints" | "preferences", read: () => T): T {
  try {
    return read();
  } catch (error) {
    const mistake = error instanceof FlotillaError ? placementMistake.safeParse(error.details) : undefined;
    if (mistake?.success !== true) throw error;
    const { code, ...values } = mistake.data;
    throw composeError([issueAt("error", `services.${name}.deploy.placement.${key}`, message(code, values))]);
  }
}

const placementMistake = z.discriminatedUnion("code", [
  z.object({ code: z.enum(["constraint_form", "preference_form"]), text: z.string() }),
  z.object({ code: z.literal("constraint_key"), text: z.string(), key: z.string(), known: z.string() }),
]);

/** As hosts name what they have. */
function canonicalImage(image: string): string {
  const reference = findReference(image);
  return reference === undefined ? image : formatCanonical(withDefaultTag(reference));
}

/** What of a service a stack over many hosts does not do. */
function notesOf(name: string, service: Service): ComposeIssue[] {
  const path = `services.${name}`;
  const { build, containerName, externalLinks, postStart, preStop, deploy, image } = service;
  const notes: [isGiven: boolean, key: string, said: Message][] = [
    [build !== undefined, "build", message("stack_build", { image })],
    [containerName !== undefined, "container_name", message("stack_container_name")],
    [externalLinks.length > 0, "external_links", message("stack_external_links")],
    [postStart.length > 0, "post_start", message("stack_hooks")],
    [preStop.length > 0, "pre_stop", message("stack_hooks")],
  ];
  return [
    ...parseConstraints(deploy.placement.constraints).ignored.map((constraint) =>
      issueAt("warning", `${path}.deploy.placement.constraints`, message("stack_role", { constraint })),
    ),
    ...notes.filter(([isGiven]) => isGiven).map(([, key, said]) => issueAt("warning", `${path}.${key}`, said)),
  ];
}

export function notesOfProject({ services }: Pick<Project, "services">): ComposeIssue[] {
  return Object.entries(services).flatMap(([name, service]) => notesOf(name, service));
}

/** What of a service cannot be done over many hosts. */
export function refusalsOf(name: string, service: Service): ComposeIssue[] {
  const found: ComposeIssue[] = [];
  const refuse = (key: string, code: MessageCode, values: Message["values"] = {}): void =>
    void found.push(issueAt("error", `services.${name}.${key}`, message(code, values)));
  const { networkMode, volumesFrom, pid, ipc } = service;
  if (networkMode !== undefined && !["host", "none"].includes(networkMode))
    refuse("network_mode", "stack_network_mode", { mode: networkMode });
  if (volumesFrom.length > 0) refuse("volumes_from", "stack_volumes_from");
  for (const [key, value] of Object.entries({ pid, ipc })) if (/^(service|container):/.test(value ?? "")) refuse(key, "stack_namespace");
  if (networkMode !== undefined && service.ports.some(({ mode }) => mode === "ingress"))
    refuse("ports", "stack_mode_ports", { mode: networkMode });
  if (service.ports.some(({ protocol, mode }) => protocol === "sctp" && mode === "ingress")) refuse("ports", "stack_sctp");
  try {
    readOwnKeys(name, service);
    serviceDemand(
      { name: "", services: { [name]: service }, networks: {}, volumes: {}, secrets: {}, configs: {}, extensions: {} },
      name,
      "",
    );
  } catch (error) {
    if (!(error instanceof FlotillaError)) throw error;
    found.push(...issuesOf(error));
  }
  return found;
}
