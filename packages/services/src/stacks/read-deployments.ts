import type { StackDeployment } from "@flotilla/db";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import type { ObjectRef } from "../access/can.ts";
import type { ServiceContext } from "../context.ts";
import { readSaid, type StepSaid } from "./reasons.ts";

export const deploymentsInput = z.object({
  stack: z.string().max(63).optional(),
  cursor: z.string().max(64).optional(),
  limit: z.int().min(1).max(200).default(50),
});
export const deploymentRef = z.object({ id: z.string().min(1).max(64) });

export type DeploymentRow = {
  id: string;
  stack: string;
  revision: number;
  kind: string;
  actor: string;
  outcome: string;
  message: string;
  startedAt: string;
  finishedAt: string | null;
};
export type DeploymentStep = {
  id: string;
  time: string;
  service: string;
  replicaId: string | null;
  host: string | null;
  level: string;
  text: string;
  /** `text` as data; null when it has no other words. */
  said: StepSaid | null;
};
export type DeploymentDetail = DeploymentRow & { plan: unknown; steps: DeploymentStep[] };

const MAX_STEPS = 1_000;

/** What an act on a deployment is about: its stack. @throws not_found. */
export async function deploymentObject(services: ServiceContext, actor: Actor, id: string): Promise<ObjectRef> {
  const { stack } = await find(services, actor, id);
  return { kind: "stack", id: stack.id, name: stack.name, teamId: stack.teamId };
}

/** Newest first. */
export async function listDeployments(
  services: ServiceContext,
  actor: Actor,
  input: z.output<typeof deploymentsInput>,
): Promise<{ items: DeploymentRow[]; nextCursor: string | null }> {
  const { team } = requireUser(actor);
  const rows = await services.prisma.stackDeployment.findMany({
    where: {
      stack: { teamId: team.id, ...(input.stack === undefined ? {} : { name: input.stack }) },
      ...(input.cursor === undefined ? {} : { id: { lt: input.cursor } }),
    },
    include: { stack: { select: { name: true } } },
    orderBy: { id: "desc" },
    take: input.limit + 1,
  });
  const items = rows.slice(0, input.limit).map((row) => toDeploymentRow(row, row.stack.name));
  return { items, nextCursor: rows.length > input.limit ? (items.at(-1)?.id ?? null) : null };
}

export async function getDeployment(services: ServiceContext, actor: Actor, id: string): Promise<DeploymentDetail> {
  const row = await find(services, actor, id);
  const steps = await readSteps(services, id, "");
  return { ...toDeploymentRow(row, row.stack.name), plan: row.plan, steps };
}

export type FollowDeployment = {
  id: string;
  signal: AbortSignal;
  /** Calls back whenever something of the team's stacks has changed, until the returned function is called. */
  onNews: (listener: () => void) => () => void;
};

/** Steps as they happen, with the deployment as it is then; ends with the deployment. */
export async function* followDeployment(
  services: ServiceContext,
  actor: Actor,
  { id, signal, onNews }: FollowDeployment,
): AsyncGenerator<{ deployment: DeploymentRow; steps: DeploymentStep[] }> {
  const news = new Bell(signal);
  // From before the first look on: what happens in between rings.
  const stop = onNews(() => news.ring());
  try {
    let after = "";
    let last = "";
    while (!signal.aborted) {
      const row = await find(services, actor, id);
      const deployment = toDeploymentRow(row, row.stack.name);
      const steps = await readSteps(services, id, after);
      after = steps.at(-1)?.id ?? after;
      const state = JSON.stringify(deployment);
      if (steps.length > 0 || state !== last) yield { deployment, steps };
      last = state;
      if (steps.length === MAX_STEPS) continue;
      if (row.finishedAt !== null) return;
      await news.wait();
    }
  } finally {
    stop();
  }
}

/** Wakes one waiter, also when it rang before the wait; an abort rings too. */
class Bell {
  #hasRung = false;
  #wake: () => void = () => undefined;

  constructor(signal: AbortSignal) {
    signal.addEventListener("abort", () => this.ring(), { once: true });
  }

  ring(): void {
    this.#hasRung = true;
    this.#wake();
  }

  async wait(): Promise<void> {
    if (!this.#hasRung) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#hasRung = false;
  }
}

async function find(
  services: ServiceContext,
  actor: Actor,
  id: string,
): Promise<StackDeployment & { stack: { id: string; name: string; teamId: string } }> {
  const { team } = requireUser(actor);
  const row = await services.prisma.stackDeployment.findFirst({
    where: { id, stack: { teamId: team.id } },
    include: { stack: { select: { id: true, name: true, teamId: true } } },
  });
  if (row === null) throw notFound("deployment", id);
  return row;
}

async function readSteps(services: ServiceContext, deploymentId: string, after: string): Promise<DeploymentStep[]> {
  const rows = await services.prisma.stackDeploymentStep.findMany({
    where: { deploymentId, id: { gt: after } },
    orderBy: { id: "asc" },
    take: MAX_STEPS,
  });
  return rows.map(({ id, time, service, replicaId, host, level, text, said }) => ({
    id,
    time: time.toISOString(),
    service,
    replicaId,
    host,
    level,
    text,
    said: readSaid(said),
  }));
}

/** A row as callers see it. Pure. */
export function toDeploymentRow(row: StackDeployment, stack: string): DeploymentRow {
  const { id, revision, kind, actorName, outcome, message, startedAt, finishedAt } = row;
  return {
    id,
    stack,
    revision,
    kind,
    actor: actorName,
    outcome,
    message,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}

/** Waits, or until the signal aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
