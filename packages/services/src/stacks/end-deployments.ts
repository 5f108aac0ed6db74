import type { Transaction } from "@flotilla/db";
import { enqueueEvent } from "../webhooks/events.ts";
import { freeOf } from "./orphan-networks.ts";
import type { StackRows } from "./stack-rows.ts";

type Round = { tx: Transaction; rows: StackRows; now: Date };

/** Ends deployments whose services are all at rest. Returns whether any is another than before. The state of the services is read again: this very round may have changed it. */
export async function settleDeployments({ tx, rows, now }: Round): Promise<boolean> {
  let hasNews = false;
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
    hasNews = true;
    const stack = rows.stacks.find(({ id }) => id === deployment.stackId);
    if (stack === undefined || outcome === deployment.outcome || (!isEnded && outcome !== "paused")) continue;
    const data = { id: deployment.id, stack: stack.name, revision: deployment.revision, kind: deployment.kind, outcome, message };
    await enqueueEvent(tx, { teamId: stack.teamId, type: outcome === "done" ? "deployment.finished" : "deployment.failed", data });
  }
  return hasNews;
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

/** A removed stack waits so long for its hosts to say that nothing is in its networks any more; then it goes, and they follow when they are free. */
const NETWORKS_MS = 15_000;
const LOOK_AGAIN_MS = 500;

export type Removal = { isChanged: boolean; /** When to look again; null: there is nothing to look for. */ wakeAtMs: number | null };

/** Services and stacks that are not wanted any more go when nothing of them is left. Networks of a stack go with it. */
export async function removeEmptyStacks({ tx, rows, now }: Round): Promise<Removal> {
  const removal: Removal = { isChanged: false, wakeAtMs: null };
  for (const stack of rows.stacks) {
    // What is not wanted is marked before a round begins, under the same lock.
    if (stack.removedAt === null && !stack.services.some(({ isRemoved }) => isRemoved)) continue;
    const where = { stackId: stack.id, replicas: { none: {} }, ...(stack.removedAt === null ? { isRemoved: true } : {}) };
    const { count } = await tx.stackService.deleteMany({ where });
    removal.isChanged ||= count > 0;
    if (stack.removedAt === null || (await tx.stackService.count({ where: { stackId: stack.id } })) > 0) continue;
    const mine = await tx.overlayNetwork.findMany({
      where: { teamId: stack.teamId, labels: { path: ["com.docker.compose.project"], equals: stack.name } },
      select: { id: true },
    });
    const free = await freeOf(tx, mine);
    const isPatient = free.length < mine.length && now.getTime() < stack.removedAt.getTime() + NETWORKS_MS;
    if (isPatient) {
      removal.wakeAtMs = now.getTime() + LOOK_AGAIN_MS;
      continue;
    }
    await tx.overlayNetwork.deleteMany({ where: { id: { in: free } } });
    await tx.stack.delete({ where: { id: stack.id } });
    removal.isChanged = true;
  }
  return removal;
}
