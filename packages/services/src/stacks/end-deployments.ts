import type { Transaction } from "@flotilla/db";
import { enqueueEvent } from "../webhooks/events.ts";
import type { StackRows } from "./stack-rows.ts";

type Round = { tx: Transaction; rows: StackRows; now: Date };

/** Ends deployments whose services are all at rest. The state of the services is read again: this very round may have changed it. */
export async function settleDeployments({ tx, rows, now }: Round): Promise<void> {
  const ids = rows.stacks.map(({ id }) => id);
  const open = await tx.stackDeployment.findMany({
    where: { stackId: { in: ids }, outcome: { in: ["running", "paused"] } },
    orderBy: { id: "asc" },
  });
  for (const deployment of open) {
    const services = await tx.stackService.findMany({
      where: { stackId: deployment.stackId },
      include: { replicas: { select: { id: true } } },
    });
    const outcome = outcomeOf(services, deployment.kind);
    // What was said of a failure stays, also when the service is back on its earlier version.
    const message = services.find(({ state }) => state === "failed")?.message ?? deployment.message;
    if (outcome === deployment.outcome && message === deployment.message) continue;
    const isEnded = outcome !== "running" && outcome !== "paused";
    await tx.stackDeployment.update({ where: { id: deployment.id }, data: { outcome, message, finishedAt: isEnded ? now : null } });
    const stack = rows.stacks.find(({ id }) => id === deployment.stackId);
    if (stack === undefined || outcome === deployment.outcome || (!isEnded && outcome !== "paused")) continue;
    const data = { id: deployment.id, stack: stack.name, revision: deployment.revision, kind: deployment.kind, outcome, message };
    await enqueueEvent(tx, { teamId: stack.teamId, type: outcome === "done" ? "deployment.finished" : "deployment.failed", data });
  }
}

type ServiceState = { state: string; rollsBack: boolean; isRemoved: boolean; replicas: readonly unknown[] };

/** Pure. `paused`: nothing goes on before a person says so. */
export function outcomeOf(services: readonly ServiceState[], kind: string): string {
  const wanted = services.filter(({ isRemoved }) => !isRemoved);
  if (wanted.some(({ state }) => state === "rolling") || services.some(({ isRemoved, replicas }) => isRemoved && replicas.length > 0))
    return "running";
  if (wanted.some(({ state }) => state === "failed" || state === "held")) return "paused";
  return kind !== "rollback" && wanted.some(({ rollsBack }) => rollsBack) ? "rolled_back" : "done";
}

/** Services and stacks that are not wanted any more go when nothing of them is left. Networks of a stack go with it. */
export async function removeEmptyStacks({ tx, rows }: Round): Promise<boolean> {
  let isChanged = false;
  for (const stack of rows.stacks) {
    const where = { stackId: stack.id, replicas: { none: {} }, ...(stack.removedAt === null ? { isRemoved: true } : {}) };
    const { count } = await tx.stackService.deleteMany({ where });
    isChanged ||= count > 0;
    if (stack.removedAt === null || (await tx.stackService.count({ where: { stackId: stack.id } })) > 0) continue;
    const mine = await tx.overlayNetwork.findMany({
      where: { teamId: stack.teamId, labels: { path: ["com.docker.compose.project"], equals: stack.name } },
    });
    const used = await tx.hostObserved.findMany({
      where: { key: { in: mine.map(({ id }) => `network/${id}`) } },
      select: { key: true, body: true },
    });
    const busy = new Set(used.filter(({ body }) => hasEndpoints(body)).map(({ key }) => key));
    await tx.overlayNetwork.deleteMany({ where: { id: { in: mine.map(({ id }) => id).filter((id) => !busy.has(`network/${id}`)) } } });
    await tx.stack.delete({ where: { id: stack.id } });
    isChanged = true;
  }
  return isChanged;
}

function hasEndpoints(body: unknown): boolean {
  if (typeof body !== "object" || body === null || !("endpoints" in body)) return false;
  return Array.isArray(body.endpoints) && body.endpoints.length > 0;
}
