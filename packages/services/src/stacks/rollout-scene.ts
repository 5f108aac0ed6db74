import type { Project } from "@flotilla/compose";
import { FlotillaError } from "@flotilla/core";
import type { Transaction } from "@flotilla/db";
import { reason, type RolloutReplica, type RolloutService, type ServiceDemand } from "@flotilla/planner";
import { blockedBy } from "./dependencies.ts";
import { globalSlots } from "./global-slots.ts";
import { hostLossPolicy, isGlobal, isJob, readOwnKeys, serviceDemand, updatePolicy, volumesOf } from "./service-policy.ts";
import type { Projects } from "./stack-model.ts";
import { type HostRow, type ReplicaRow, type ServiceRow, type StackRow, type StackRows, toScheduleHost } from "./stack-rows.ts";

/** A service as the planner sees it. */
export type ServiceScene = {
  input: { service: RolloutService; replicas: RolloutReplica[] };
  demand: ServiceDemand;
  isGlobal: boolean;
  /** Real names of its named volumes. */
  volumes: string[];
};

type Round = { tx: Transaction; rows: StackRows; projects: Projects; now: Date };

/** Puts together what is wanted of a service and what is there. @throws FlotillaError when its revision cannot be read. */
export async function sceneOf(round: Round, stack: StackRow, service: ServiceRow): Promise<ServiceScene> {
  const project = await round.projects.get(stack.id, service.target.revision);
  const { hosts } = round.rows;
  const model = project.services[service.name];
  if (model === undefined)
    throw new FlotillaError("not_found", `revision ${service.target.revision} of stack ${stack.name} has no service ${service.name}`);
  const demand = serviceDemand(project, service.name, service.id);
  const isWanted = !service.isRemoved && stack.removedAt === null;
  const input: RolloutService = {
    name: service.name,
    kind: isJob(model) ? "job" : "service",
    slots: isWanted ? slotsOf(project, service, { hosts, demand }) : [],
    hash: service.target.hash,
    stableHash: service.stable?.hash ?? null,
    policy: updatePolicy(service.name, model, service.rollsBack),
    onHostLoss: hostLossPolicy(service.name, model),
    drainMs: readOwnKeys(service.name, model).drain,
    startedAtMs: service.startedAt.getTime(),
    isDone: service.state === "done",
    isHeld: service.state === "held" || service.state === "failed",
    isCanaryApproved: service.isApproved,
    blockedBy: blockedBy(model, stack),
    maxConcurrent: isJob(model) ? (model.deploy.updateConfig?.parallelism ?? 0) : 0,
  };
  const byId = new Map(hosts.map((host) => [host.id, host]));
  const isAway = ({ hostId }: ReplicaRow): boolean => byId.get(hostId)?.downSince !== null;
  // What is to be stopped on a host that is away keeps nobody waiting.
  const replicas = service.replicas.filter((replica) => replica.state !== "stop" || !isAway(replica));
  return {
    input: {
      service: input,
      replicas: replicas.map((replica) => toReplica(replica, { host: byId.get(replica.hostId), isPinned: isGlobal(model) })),
    },
    demand,
    isGlobal: isGlobal(model),
    volumes: volumesOf(project, model),
  };
}

function slotsOf(project: Project, service: ServiceRow, on: { hosts: readonly HostRow[]; demand: ServiceDemand }): string[] {
  const model = project.services[service.name];
  if (model === undefined) return [];
  if (!isGlobal(model)) return Array.from({ length: model.deploy.replicas }, (_, index) => String(index + 1));
  const present = new Set(service.replicas.filter(({ state }) => state === "run").map(({ hostId }) => hostId));
  return globalSlots(on.hosts.map(toScheduleHost), on.demand, present);
}

function toReplica(replica: ReplicaRow, { host, isPinned }: { host: HostRow | undefined; isPinned: boolean }): RolloutReplica {
  const phase = replica.observed?.phase;
  const asked = replica.moveBecause === null ? null : reason("text", { text: replica.moveBecause });
  const withdrawn = host?.share?.mayRun === false ? reason("not_shared", { host: host.name }) : asked;
  const moves = host?.availability === "drain" && !isPinned ? reason("host_drained", { host: host.name }) : withdrawn;
  return {
    id: replica.id,
    slot: replica.slot,
    hash: replica.hash,
    state: replica.state === "drain" || replica.state === "stop" ? replica.state : "run",
    drainedAtMs: replica.drainedAt?.getTime() ?? null,
    createdAtMs: replica.createdAt.getTime(),
    isReady: phase === "running",
    readyAtMs: replica.readyAt?.getTime() ?? null,
    failedAtMs: replica.failedAt?.getTime() ?? null,
    isComplete: phase === "complete",
    lostAtMs: host?.downSince?.getTime() ?? null,
    moveBecause: moves,
  };
}
