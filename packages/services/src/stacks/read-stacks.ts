import { FlotillaError } from "@flotilla/core";
import type { StackDeployment, Transaction } from "@flotilla/db";
import type { Reason } from "@flotilla/planner";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import type { ServiceContext } from "../context.ts";
import { stackInputRef } from "./control-stack.ts";
import { type DeploymentRow, toDeploymentRow } from "./read-deployments.ts";
import { readReasons, toHostReason } from "./reasons.ts";
import { openSource } from "./revision-source.ts";
import { isGlobal, notesOfProject, readOwnKeys } from "./service-policy.ts";
import { noteOf, type StackIssue, toStackIssue } from "./stack-issue.ts";
import { Projects } from "./stack-model.ts";
import { AT_ONE_TIME, readStackRows, type HostRow, type ReplicaRow, type ServiceRow, type StackRow } from "./stack-rows.ts";

export const revisionRef = stackInputRef.extend({ revision: z.int().min(1) });

export type StackReplicaView = {
  id: string;
  slot: string;
  host: { id: string; name: string };
  state: string;
  revision: number;
  isCurrent: boolean;
  /** What its host says: a phase of `replicaPhase`; `unknown` before it said anything, `lost` while it is down. */
  phase: string;
  containerId: string | null;
  restarts: number;
  exitCode: number | null;
  reason: string;
  progress: string;
  /** `reason` and `progress` as data, in this order; those that say nothing are left out. */
  said: Reason[];
  log: string[];
  healthOutput: string;
  because: string;
  /** `because` as data; null when only its text is known. */
  reasons: Reason[] | null;
  createdAt: string;
};
export type StackServiceView = {
  name: string;
  image: string;
  mode: string;
  state: string;
  message: string;
  /** `message` as data; null when only its text is known. */
  reasons: Reason[] | null;
  isRemoved: boolean;
  revision: number;
  wanted: number;
  running: number;
  isApproved: boolean;
  /** A canary that a person lets through. */
  canApprove: boolean;
  /** There is a version to go back to. */
  canAbort: boolean;
  rollsBack: boolean;
  ports: { published: number | null; target: number; protocol: string; mode: string }[];
  addresses: { network: string; address: string }[];
  networks: string[];
  dependsOn: string[];
  replicas: StackReplicaView[];
};
export type StackSummary = {
  id: string;
  name: string;
  generation: number;
  revision: number;
  state: string;
  services: number;
  wanted: number;
  running: number;
  createdAt: string;
  isRemoving: boolean;
  /** Names of the hosts that have replicas of it. */
  hosts: string[];
  /** The newest deployment. */
  last: DeploymentRow | null;
};

/** The team's stacks. */
export async function listStacks(services: ServiceContext, actor: Actor): Promise<StackSummary[]> {
  return (await readStacks(services, actor)).map(({ summary }) => summary);
}

/** The team's stacks by name, each with its services as they stand. */
export async function readStacks(
  services: ServiceContext,
  actor: Actor,
): Promise<{ summary: StackSummary; views: readonly StackServiceView[] }[]> {
  const { team } = requireUser(actor);
  return services.prisma.$transaction(async (tx) => {
    const rows = await readStackRows(tx, team.id);
    const projects = new Projects(services, tx);
    const found: { summary: StackSummary; views: readonly StackServiceView[] }[] = [];
    const deployments = await newestDeployments(tx, team.id);
    for (const stack of rows.stacks) {
      const views = await viewServices(stack, { rows, projects, networks: new Map() });
      found.push({ summary: summarise(stack, views, deployments.get(stack.id)), views });
    }
    return found.toSorted((a, b) => (a.summary.name < b.summary.name ? -1 : 1));
  }, AT_ONE_TIME);
}

async function newestDeployments(tx: Transaction, teamId: string, stackId?: string): Promise<Map<string, StackDeployment>> {
  const found = await tx.stackDeployment.findMany({
    where: { stack: { teamId }, ...(stackId === undefined ? {} : { stackId }) },
    orderBy: [{ stackId: "asc" }, { id: "desc" }],
    distinct: ["stackId"],
  });
  return new Map(found.map((row) => [row.stackId, row]));
}

function summarise(stack: StackRow, views: readonly StackServiceView[], last: StackDeployment | undefined): StackSummary {
  const sum = (of: (view: StackServiceView) => number): number => views.reduce((total, view) => total + of(view), 0);
  return {
    id: stack.id,
    name: stack.name,
    generation: stack.generation,
    revision: stack.current,
    state: stateOf(stack, views),
    services: views.length,
    wanted: sum(({ wanted }) => wanted),
    running: sum(({ running }) => running),
    createdAt: stack.createdAt.toISOString(),
    isRemoving: stack.removedAt !== null,
    hosts: [...new Set(views.flatMap(({ replicas }) => replicas.map(({ host }) => host.name)))].toSorted(),
    last: last === undefined ? null : toDeploymentRow(last, stack.name),
  };
}

/** The worst of its services. Pure. */
export function stateOf(
  stack: Pick<StackRow, "removedAt">,
  views: readonly Pick<StackServiceView, "state" | "wanted" | "running">[],
): string {
  if (stack.removedAt !== null) return "removing";
  for (const state of ["failed", "held", "rolling"]) if (views.some((view) => view.state === state)) return state;
  return views.some(({ wanted, running }) => running < wanted) ? "degraded" : "running";
}

/** A stack with its services, replicas and revisions. @throws not_found. */
export async function getStack(
  services: ServiceContext,
  actor: Actor,
  name: string,
): Promise<StackSummary & { detail: StackServiceView[]; revisions: RevisionRow[]; notes: string[]; issues: StackIssue[] }> {
  const { team } = requireUser(actor);
  return services.prisma.$transaction(async (tx) => {
    const rows = await readStackRows(tx, team.id, name);
    const [stack] = rows.stacks;
    if (stack === undefined) throw notFound("stack", name);
    const projects = new Projects(services, tx);
    const found = await tx.overlayNetwork.findMany({ where: { teamId: team.id }, select: { id: true, name: true } });
    const detail = await viewServices(stack, { rows, projects, networks: new Map(found.map((network) => [network.id, network.name])) });
    const revisions = await tx.stackRevision.findMany({
      where: { stackId: stack.id },
      orderBy: { number: "desc" },
      take: 100,
      select: { number: true, createdBy: true, createdAt: true },
    });
    const project = stack.current === 0 ? undefined : await projects.find(stack.id, stack.current);
    const isReadable = project !== undefined && !(project instanceof FlotillaError);
    const issues = isReadable ? notesOfProject(project).map(toStackIssue) : [];
    return {
      ...summarise(stack, detail, (await newestDeployments(tx, team.id, stack.id)).get(stack.id)),
      detail,
      revisions: revisions.map((row) => ({ ...row, createdAt: row.createdAt.toISOString() })),
      notes: issues.map(noteOf),
      issues,
    };
  }, AT_ONE_TIME);
}

export type RevisionRow = { number: number; createdBy: string; createdAt: string };

/** The files of a revision as they were written. @throws not_found. */
export async function getRevision(
  services: ServiceContext,
  actor: Actor,
  ref: z.output<typeof revisionRef>,
): Promise<RevisionRow & { source: Record<string, string> }> {
  const { team } = requireUser(actor);
  const row = await services.prisma.stackRevision.findFirst({
    where: { number: ref.revision, stack: { teamId: team.id, name: ref.stack } },
  });
  if (row === null) throw notFound("revision", String(ref.revision));
  return { number: row.number, createdBy: row.createdBy, createdAt: row.createdAt.toISOString(), source: openSource(services, row) };
}

type Scene = { rows: { hosts: HostRow[] }; projects: Projects; networks: ReadonlyMap<string, string> };

async function viewServices(stack: StackRow, { rows, projects, networks }: Scene): Promise<StackServiceView[]> {
  const views: StackServiceView[] = [];
  for (const service of stack.services) {
    const project = await projects.find(stack.id, service.target.revision);
    const replicas = service.replicas.map((replica) => viewReplica(replica, service, rows.hosts));
    if (project instanceof FlotillaError) {
      views.push(viewUnreadable(service, replicas, project.message));
      continue;
    }
    const model = project.services[service.name];
    if (model === undefined) continue;
    const wanted =
      service.isRemoved || stack.removedAt !== null
        ? 0
        : isGlobal(model)
          ? new Set(replicas.filter(({ state }) => state === "run").map(({ slot }) => slot)).size
          : model.deploy.replicas;
    views.push({
      name: service.name,
      image: model.image,
      mode: model.deploy.mode,
      state: service.state,
      message: service.message,
      reasons: readReasons(service.reasons),
      isRemoved: service.isRemoved,
      revision: service.target.revision,
      wanted,
      running: new Set(
        replicas.filter(({ state, phase }) => state === "run" && (phase === "running" || phase === "complete")).map(({ slot }) => slot),
      ).size,
      isApproved: service.isApproved,
      canApprove: service.state === "rolling" && !service.isApproved && readOwnKeys(service.name, model).canary?.gate === "manual",
      canAbort: service.stable !== null && service.stable.hash !== service.target.hash,
      rollsBack: service.rollsBack,
      ports: model.ports.map(({ published, target, protocol, mode }) => ({ published: published ?? null, target, protocol, mode })),
      addresses: service.addresses.map(({ networkId, address }) => ({ network: networks.get(networkId) ?? networkId, address })),
      networks: Object.keys(model.networks).map((key) => project.networks[key]?.name ?? key),
      dependsOn: Object.keys(model.dependsOn),
      replicas,
    });
  }
  return views;
}

/** A service of a revision that cannot be read: what its rows say. */
function viewUnreadable(service: ServiceRow, replicas: StackReplicaView[], reason: string): StackServiceView {
  const running = new Set(replicas.filter(({ state, phase }) => state === "run" && phase === "running").map(({ slot }) => slot)).size;
  return {
    name: service.name,
    image: "",
    mode: "replicated",
    state: "failed",
    message: reason,
    reasons: null,
    isRemoved: service.isRemoved,
    revision: service.target.revision,
    wanted: service.isRemoved ? 0 : running,
    running,
    isApproved: service.isApproved,
    canApprove: false,
    canAbort: service.stable !== null && service.stable.hash !== service.target.hash,
    rollsBack: service.rollsBack,
    ports: [],
    addresses: [],
    networks: [],
    dependsOn: [],
    replicas,
  };
}

function viewReplica(replica: ReplicaRow, service: ServiceRow, hosts: readonly HostRow[]): StackReplicaView {
  const host = hosts.find(({ id }) => id === replica.hostId);
  const said = replica.observed;
  return {
    id: replica.id,
    slot: replica.slot,
    host: { id: replica.hostId, name: host?.name ?? replica.hostId },
    state: replica.state,
    revision: replica.target.revision,
    isCurrent: replica.hash === service.target.hash,
    phase: host?.downSince == null ? (said?.phase ?? "unknown") : "lost",
    containerId: said?.containerId ?? null,
    restarts: said?.restarts ?? 0,
    exitCode: said?.exitCode ?? null,
    reason: said?.reason ?? "",
    progress: said?.progress ?? "",
    said: [said?.reason ?? "", said?.progress ?? ""].filter((words) => words !== "").map(toHostReason),
    log: said?.log ?? [],
    healthOutput: said?.healthOutput ?? "",
    because: replica.because,
    reasons: readReasons(replica.reasons),
    createdAt: replica.createdAt.toISOString(),
  };
}
