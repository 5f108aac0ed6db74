import { FlotillaError } from "@flotilla/core";
import type { Stack, Transaction } from "@flotilla/db";
import { formatReason, type Move, planMoves, type Reason, reason } from "@flotilla/planner";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import type { ObjectRef } from "../access/can.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { beginDeployment, makeNetworks, refuseMissingFiles, setTargets, stackRef } from "./deploy-stack.ts";
import { currentVersions } from "./files.ts";
import { checkPorts } from "./plan-input.ts";
import { serviceDemand } from "./service-policy.ts";
import { filesOf, Projects } from "./stack-model.ts";
import { AT_ONE_TIME, lockStacks, notifyStacks, readStackRows, toScheduleHost } from "./stack-rows.ts";
import { stackName } from "./stack-source.ts";
import { addStep } from "./steps.ts";

export const stackInputRef = z.object({ stack: stackName });
export const CONTROLS = ["pause", "continue", "abort", "approve"] as const;
/** Without `service` all services of the stack that the act concerns. */
export const controlInput = stackInputRef.extend({ act: z.enum(CONTROLS), service: z.string().max(255).optional() });
export const rollbackInput = stackInputRef.extend({ revision: z.int().min(1).optional() });

/** What an act on a stack is about. @throws not_found. */
export async function stackObject(services: ServiceContext, actor: Actor, { stack }: { stack: string }): Promise<ObjectRef> {
  const { team } = requireUser(actor);
  const row = await services.prisma.stack.findUnique({ where: { teamId_name: { teamId: team.id, name: stack } } });
  if (row === null) throw notFound("stack", stack);
  return stackRef(row);
}

type Work<T> = (tx: Transaction, stack: Stack, now: Date) => Promise<T>;

/** Under the lock of the team's stacks, with an audit row. */
async function change<T>(
  services: ServiceContext,
  actor: Actor,
  how: { stack: string; action: "stack.control" | "stack.remove" | "stack.deploy"; verb: string; work: Work<T> },
): Promise<T> {
  const { team } = requireUser(actor);
  return services.prisma.$transaction(
    async (tx) => {
      await lockStacks(tx, team.id);
      const stack = await tx.stack.findUnique({ where: { teamId_name: { teamId: team.id, name: how.stack } } });
      if (stack === null) throw notFound("stack", how.stack);
      if (stack.removedAt !== null) throw new FlotillaError("conflict", `stack ${stack.name} is being removed`);
      const result = await how.work(tx, stack, new Date(services.nowMs()));
      await recordAudit(tx, { actor, action: how.action, object: stackRef(stack), outcome: "ok", detail: { verb: how.verb } });
      await notifyStacks(tx, team.id);
      return result;
    },
    { maxWait: 15_000, timeout: 60_000 },
  );
}

/** Holds a rollout, lets it go on, goes back to what was before, or lets a canary through. @throws conflict when there is nothing to do it to. */
export async function controlStack(services: ServiceContext, actor: Actor, input: z.output<typeof controlInput>): Promise<void> {
  const { act, service } = input;
  await change(services, actor, {
    stack: input.stack,
    action: "stack.control",
    verb: act,
    work: async (tx, stack, now) => {
      const rows = await tx.stackService.findMany({
        where: { stackId: stack.id, isRemoved: false, ...(service === undefined ? {} : { name: service }) },
      });
      if (service !== undefined && rows.length === 0) throw notFound("service", service);
      const concerned = rows.filter((row) => CONCERNS[act].includes(row.state) && (act !== "abort" || row.stable !== null));
      if (concerned.length === 0)
        throw new FlotillaError(
          "conflict",
          `there is nothing to ${act}: no service of stack ${stack.name} is ${CONCERNS[act].join(" or ")}`,
        );
      for (const row of concerned) await tx.stackService.update({ where: { id: row.id }, data: changeOf(act, row.stable, now) });
      await tx.stack.update({ where: { id: stack.id }, data: { generation: { increment: 1 } } });
      const why = reason(`acted_${act}`, { by: requireUser(actor).email });
      const [text, said] = [formatReason(why), { event: "says" as const, reasons: [why] }];
      await addStep(
        tx,
        concerned.map(({ name }) => ({ stackId: stack.id, service: name, replicaId: null, host: null, level: "info", text, said })),
      );
    },
  });
}

type Act = (typeof CONTROLS)[number];

/** States of a service that an act can be done in. */
const CONCERNS: Readonly<Record<Act, readonly string[]>> = {
  pause: ["rolling"],
  continue: ["held", "failed"],
  abort: ["rolling", "held", "failed"],
  approve: ["rolling"],
};

function changeOf(act: Act, stable: unknown, now: Date): object {
  switch (act) {
    case "pause":
      return { state: "held" };
    case "continue":
      // What failed before is not counted again.
      return { state: "rolling", startedAt: now };
    case "approve":
      return { isApproved: true };
    case "abort":
      return { target: stable, state: "rolling", rollsBack: true, startedAt: now };
  }
}

/** Makes an earlier revision the current one. Without a number the one before. @throws not_found, conflict when there is none. */
export async function rollbackStack(
  services: ServiceContext,
  actor: Actor,
  input: z.output<typeof rollbackInput>,
): Promise<{ deploymentId: string; revision: number }> {
  return change(services, actor, {
    stack: input.stack,
    action: "stack.deploy",
    verb: "rollback",
    work: async (tx, stack, now) => {
      const where = { stackId: stack.id, number: input.revision ?? { lt: stack.current } };
      const revision = await tx.stackRevision.findFirst({ where, orderBy: { number: "desc" }, select: { number: true } });
      if (revision === null) {
        if (input.revision !== undefined) throw notFound("revision", String(input.revision));
        throw new FlotillaError("conflict", `stack ${stack.name} has no revision before ${stack.current}`);
      }
      const project = await new Projects(services, tx).get(stack.id, revision.number);
      // What was there when it was deployed may have gone since, or be another's.
      const scope = { services, teamId: stack.teamId, project };
      await checkPorts(tx, scope);
      await refuseMissingFiles(tx, scope);
      await makeNetworks(tx, { ...scope, actor });
      const keys = [...new Set(Object.values(project.services).flatMap((service) => filesOf(project, service)))];
      const files = await currentVersions(tx, stack.teamId, keys);
      await setTargets(tx, { stack, project, revision: revision.number, now, files, rollsBack: true });
      const why = reason("back_from", { revision: stack.current });
      const plan = { reason: formatReason(why), reasons: [why] };
      const actorName = requireUser(actor).email;
      const deploymentId = await beginDeployment(tx, {
        stackId: stack.id,
        revision: revision.number,
        kind: "rollback",
        actorName,
        plan,
        now,
      });
      return { deploymentId, revision: revision.number };
    },
  });
}

/** Removes all replicas, then services, networks and the stack. Volumes stay on their hosts. */
export async function removeStack(services: ServiceContext, actor: Actor, stack: string): Promise<void> {
  await change(services, actor, {
    stack,
    action: "stack.remove",
    verb: "remove",
    work: async (tx, row, now) => {
      await tx.stack.update({ where: { id: row.id }, data: { removedAt: now, generation: { increment: 1 } } });
      await beginDeployment(tx, {
        stackId: row.id,
        revision: row.current,
        kind: "remove",
        actorName: requireUser(actor).email,
        plan: {},
        now,
      });
    },
  });
}

export type PlannedMove = Omit<Move, "because"> & { because: string; /** The same as data. */ reasons: Reason[]; from: string; to: string };
export type RebalancePlan = { moves: PlannedMove[] };

/** Which replicas would move so that hosts have about the same number. */
export async function planRebalance(services: ServiceContext, actor: Actor, stack: string): Promise<RebalancePlan> {
  const { team } = requireUser(actor);
  return services.prisma.$transaction((tx) => movesOf(tx, { services, teamId: team.id, stack }), AT_ONE_TIME);
}

/** Moves them, as an update of their services would. */
export async function rebalanceStack(services: ServiceContext, actor: Actor, stack: string): Promise<RebalancePlan> {
  return change(services, actor, {
    stack,
    action: "stack.control",
    verb: "rebalance",
    work: async (tx, row, now) => {
      const plan = await movesOf(tx, { services, teamId: row.teamId, stack });
      for (const { replicaId, because } of plan.moves)
        await tx.stackReplica.update({ where: { id: replicaId }, data: { moveBecause: because } });
      if (plan.moves.length > 0) {
        await beginDeployment(tx, {
          stackId: row.id,
          revision: row.current,
          kind: "rebalance",
          actorName: requireUser(actor).email,
          plan,
          now,
        });
        await tx.stackService.updateMany({ where: { stackId: row.id, state: "done" }, data: { state: "rolling", startedAt: now } });
      }
      return plan;
    },
  });
}

async function movesOf(
  tx: Transaction,
  { services, teamId, stack }: { services: ServiceContext; teamId: string; stack: string },
): Promise<RebalancePlan> {
  const { stacks, hosts } = await readStackRows(tx, teamId, stack);
  const [row] = stacks;
  if (row === undefined) throw notFound("stack", stack);
  const projects = new Projects(services, tx);
  const demands = [];
  for (const { id, name, target } of row.services) {
    const project = await projects.get(row.id, target.revision);
    if (project.services[name]?.deploy.mode === "replicated") demands.push(serviceDemand(project, name, id));
  }
  const replicas = row.services.flatMap((service) =>
    service.replicas.filter(({ state }) => state === "run").map(({ id, hostId }) => ({ id, serviceId: service.id, hostId })),
  );
  const moves = planMoves({ hosts: hosts.map(toScheduleHost), services: demands, replicas });
  const nameOf = (hostId: string): string => hosts.find(({ id }) => id === hostId)?.name ?? hostId;
  return {
    moves: moves.map((move) => ({
      ...move,
      because: formatReason(move.because),
      reasons: [move.because],
      from: nameOf(move.fromHostId),
      to: nameOf(move.toHostId),
    })),
  };
}
