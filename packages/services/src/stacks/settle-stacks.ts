import { FlotillaError } from "@flotilla/core";
import type { Transaction } from "@flotilla/db";
import {
  formatReason,
  planRollout,
  type Reason,
  reason,
  type RolloutPlan,
  schedule,
  type Unplaced,
  type WantedReplica,
} from "@flotilla/planner";
import type { ServiceContext } from "../context.ts";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { removeEmptyStacks, settleDeployments } from "./end-deployments.ts";
import { leaseAddresses } from "./lease-addresses.ts";
import { makeReplicas, slotName } from "./make-replicas.ts";
import { noteReplicas } from "./note-replicas.ts";
import { formatReasons, type StepSaid } from "./reasons.ts";
import { describeFailure } from "./replica-failure.ts";
import { removeOrphanNetworks } from "./orphan-networks.ts";
import { type ServiceScene, sceneOf } from "./rollout-scene.ts";
import { Projects } from "./stack-model.ts";
import { lockStacks, readStackRows, type ServiceRow, type StackRow, type StackRows, tellPages, toScheduleHost } from "./stack-rows.ts";
import { addStep, type Step } from "./steps.ts";
import { markUnreadable } from "./unreadable-stacks.ts";

export type Settled = { /** Milliseconds since the epoch; null: when something happens. */ wakeAtMs: number | null };

const MAX_TEXT = 4_000;
const PATIENT = { maxWait: 15_000, timeout: 60_000 } as const;

type Round = {
  services: ServiceContext;
  tx: Transaction;
  rows: StackRows;
  /** The stacks whose revisions can be read. */
  readable: StackRow[];
  now: Date;
  steps: Step[];
  /** Hosts have something to do. */
  isChanged: boolean;
  /** Pages have something to show. */
  hasNews: boolean;
  projects: Projects;
};
type Planned = { stack: StackRow; service: ServiceRow; scene: ServiceScene; plan: RolloutPlan };

/**
 * Brings a team's stacks one step on: notes what hosts say, plans each service, places what is to be made, and ends deployments. One
 * transaction under the team's lock, so of two control planes one does it at a time, and one that is killed in it has done nothing.
 * Level-triggered: called whenever something may have changed, and when the answer says so.
 */
export async function settleStacks(services: ServiceContext, teamId: string): Promise<Settled> {
  return services.prisma.$transaction(async (tx) => {
    await lockStacks(tx, teamId);
    const rows = await readStackRows(tx, teamId);
    if (rows.stacks.length === 0) {
      if (await removeOrphanNetworks(tx, teamId)) await notifyHostState(tx, { teamId });
      return { wakeAtMs: null };
    }
    const projects = new Projects(services, tx);
    const now = new Date(services.nowMs());
    const round: Round = { services, tx, rows, readable: [], now, steps: [], isChanged: false, hasNews: false, projects };
    await noteReplicas(round);
    await dropStopped(round);
    const planned = await planServices(round);
    const unplaced = await place(round, planned);
    for (const item of planned) await conclude(round, item, unplaced.get(item.service.id));
    if (await leaseAddresses(tx, { rows: { ...rows, stacks: round.readable }, projects, now })) round.isChanged = true;
    await addStep(tx, round.steps);
    if (await settleDeployments(round)) round.hasNews = true;
    const removal = await removeEmptyStacks(round);
    if (removal.isChanged || (await removeOrphanNetworks(tx, teamId))) round.isChanged = true;
    if (round.isChanged) await notifyHostState(tx, { teamId });
    if (round.isChanged || round.hasNews || round.steps.length > 0) await tellPages(tx, teamId);
    const wakes = [...planned.flatMap(({ plan }) => plan.wakeAtMs ?? []), ...(removal.wakeAtMs === null ? [] : [removal.wakeAtMs])];
    return { wakeAtMs: wakes.length === 0 ? null : Math.min(...wakes) };
  }, PATIENT);
}

/** Replicas that were to be stopped and that their hosts have no more. One on a host that is down goes when the host is back, or removed. */
async function dropStopped(round: Round): Promise<void> {
  const { tx, rows } = round;
  const away = new Set(rows.hosts.filter(({ downSince }) => downSince !== null).map(({ id }) => id));
  for (const { services } of rows.stacks) {
    for (const service of services) {
      const gone = service.replicas.filter(
        ({ state, observed, hostId }) => state === "stop" && observed === undefined && !away.has(hostId),
      );
      if (gone.length === 0) continue;
      round.hasNews = true;
      await tx.stackReplica.deleteMany({ where: { id: { in: gone.map(({ id }) => id) } } });
      service.replicas = service.replicas.filter((replica) => !gone.includes(replica));
    }
  }
}

async function planServices(round: Round): Promise<Planned[]> {
  const planned: Planned[] = [];
  for (const stack of round.rows.stacks) {
    try {
      planned.push(...(await planStackServices(round, stack)));
      round.readable.push(stack);
    } catch (error) {
      // What the database throws ends the round.
      if (!(error instanceof FlotillaError)) throw error;
      await markUnreadable(round, stack, error.message);
    }
  }
  return planned;
}

async function planStackServices(round: Round, stack: StackRow): Promise<Planned[]> {
  const planned: Planned[] = [];
  for (const service of stack.services) {
    const scene = await sceneOf(round, stack, service);
    planned.push({ stack, service, scene, plan: planRollout({ ...scene.input, nowMs: round.now.getTime() }) });
  }
  return planned;
}

/** Finds hosts for what is to be made. Returns why what was not placed was not, by service. */
async function place(round: Round, planned: readonly Planned[]): Promise<Map<string, Unplaced[]>> {
  const wanted = planned.flatMap(({ service, scene, plan }) =>
    plan.actions.flatMap((action): WantedReplica[] =>
      action.kind === "create" ? [{ serviceId: service.id, slot: action.slot, ...(scene.isGlobal ? { hostId: action.slot } : {}) }] : [],
    ),
  );
  const volumes = new Map<string, string[]>();
  for (const stack of round.rows.stacks)
    for (const { name, hostId } of stack.volumes) volumes.set(name, [...(volumes.get(name) ?? []), hostId]);
  const result = schedule({
    hosts: round.rows.hosts.map(toScheduleHost),
    services: planned.map(({ scene }) => scene.demand),
    placed: planned.flatMap(({ service, scene }) =>
      scene.input.replicas.map(({ id, hash, state, moveBecause }) => ({
        serviceId: service.id,
        hostId: service.replicas.find((replica) => replica.id === id)?.hostId ?? "",
        // The new version is spread by itself.
        isLeaving: state !== "run" || hash !== service.target.hash || moveBecause !== null,
      })),
    ),
    volumes,
    wanted,
  });
  await makeReplicas(round, planned, result.placements);
  return Map.groupBy(result.unplaced, ({ serviceId }) => serviceId);
}

/** Carries out the rest of a plan, and notes how the service stands. */
async function conclude(round: Round, { stack, service, scene, plan }: Planned, unplaced: readonly Unplaced[] | undefined): Promise<void> {
  const { tx, now, steps, rows } = round;
  const [drains, stops] = [idsOf(plan, "drain"), idsOf(plan, "stop")];
  if (drains.length > 0) await tx.stackReplica.updateMany({ where: { id: { in: drains } }, data: { state: "drain", drainedAt: now } });
  if (stops.length > 0) await tx.stackReplica.updateMany({ where: { id: { in: stops } }, data: { state: "stop" } });
  for (const action of plan.actions) {
    if (action.kind === "create") continue;
    const replica = service.replicas.find(({ id }) => id === action.replicaId);
    const host = rows.hosts.find(({ id }) => id === replica?.hostId)?.name ?? "";
    const text = `replica ${slotName(replica?.slot ?? "", host)} on ${host} ${action.kind === "drain" ? "drains" : "stops"}: ${formatReason(action.because)}`;
    const event = action.kind === "drain" ? ("drains" as const) : ("stops" as const);
    const said = { event, slot: slotName(replica?.slot ?? "", host), reasons: [action.because] };
    steps.push({ stackId: stack.id, service: service.name, replicaId: action.replicaId, host, level: "info", text, said });
    round.isChanged = true;
  }
  const [first] = unplaced ?? [];
  const counts = { count: unplaced?.length ?? 0, total: scene.input.service.slots.length };
  const placement = first === undefined ? undefined : { ...reason("unplaced", counts), parts: [first.reason] };
  await noteState(round, { stack, service, plan, scene, placement });
}

const idsOf = ({ actions }: RolloutPlan, kind: "drain" | "stop"): string[] =>
  actions.flatMap((action) => (action.kind === kind ? [action.replicaId] : []));

type Conclusion = Omit<Planned, "scene"> & { scene: ServiceScene; placement: Reason | undefined };

async function noteState(round: Round, { stack, service, plan, scene, placement }: Conclusion): Promise<void> {
  const { tx, steps } = round;
  const say = (level: Step["level"], text: string, said: StepSaid): void =>
    void steps.push({ stackId: stack.id, service: service.name, replicaId: null, host: null, level, text, said });
  const isMoving = service.state === "rolling";
  if (plan.state === "failed" && isMoving)
    return noteFailure(round, {
      stack,
      service,
      say,
      onFailure: scene.input.service.policy.onFailure,
      reasons: placement === undefined ? [plan.message] : [plan.message, placement],
    });
  const [why, message] = [placement ?? plan.message, formatReason(placement ?? plan.message)];
  if (plan.state === "done" && isMoving) {
    const text = formatReason(plan.message);
    if (service.rollsBack) say("info", "is back on its earlier version", { event: "is_back", reasons: [] });
    else say("info", text, { event: "says", reasons: [plan.message] });
    const data = { state: "done", message: text, reasons: [plan.message], stable: service.target };
    await tx.stackService.update({ where: { id: service.id }, data });
    return;
  }
  if (service.state === "failed" || message === service.message) return;
  if (placement !== undefined) say("failure", message, { event: "says", reasons: [placement] });
  await tx.stackService.update({ where: { id: service.id }, data: { message, reasons: [why] } });
  round.hasNews = true;
}

type Failure = {
  stack: StackRow;
  service: ServiceRow;
  say: (level: Step["level"], text: string, said: StepSaid) => void;
  onFailure: string;
  reasons: Reason[];
};

/** Goes back to the version before where the service says so; otherwise it waits for a person. */
async function noteFailure(round: Round, { stack, service, say, onFailure, reasons }: Failure): Promise<void> {
  const { tx, now } = round;
  const facts = describeFailure(service);
  const said = [...reasons, ...facts];
  const summary = reasons.map(formatReason).join(": ");
  const why = (facts.length === 0 ? summary : `${summary}: ${formatReasons(facts)}`).slice(0, MAX_TEXT);
  say("failure", why, { event: "says", reasons: said });
  const { stable } = service;
  const goesBack = onFailure === "rollback" && !service.rollsBack && stable !== null && stable.hash !== service.target.hash;
  const data = goesBack
    ? { target: stable, rollsBack: true, startedAt: now, state: "rolling", message: why, reasons: said }
    : { state: "failed", message: why, reasons: said };
  await tx.stackService.update({ where: { id: service.id }, data });
  if (!goesBack) return;
  say("info", `goes back to revision ${stable.revision}`, { event: "goes_back", revision: stable.revision, reasons: [] });
  await tx.stackDeployment.updateMany({ where: { stackId: stack.id, outcome: { in: ["running", "paused"] } }, data: { message: why } });
  round.isChanged = true;
}
