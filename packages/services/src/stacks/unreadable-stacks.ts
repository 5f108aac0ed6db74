import { Prisma, type Transaction } from "@flotilla/db";
import type { ServiceRow, StackRow } from "./stack-rows.ts";
import type { Step } from "./steps.ts";

type Round = { tx: Transaction; steps: Step[]; isChanged: boolean; hasNews: boolean };

/**
 * A stack whose revision cannot be read: it is left as it is, and says why; nobody else's stack waits for it. What is being removed goes:
 * for that nothing has to be known.
 */
export async function markUnreadable(round: Round, stack: StackRow, reason: string): Promise<void> {
  for (const service of stack.services) {
    if (service.isRemoved || stack.removedAt !== null) await stopAll(round, stack, service);
    else if (service.message !== reason) {
      await round.tx.stackService.update({ where: { id: service.id }, data: { message: reason, reasons: Prisma.DbNull } });
      round.steps.push({ stackId: stack.id, service: service.name, replicaId: null, host: null, level: "failure", text: reason });
      round.hasNews = true;
    }
  }
}

async function stopAll(round: Round, stack: StackRow, service: ServiceRow): Promise<void> {
  for (const { id } of service.replicas.filter(({ state }) => state !== "stop")) {
    await round.tx.stackReplica.update({ where: { id }, data: { state: "stop" } });
    const text = "a replica stops: it is not wanted any more";
    round.steps.push({ stackId: stack.id, service: service.name, replicaId: id, host: null, level: "info", text });
    round.isChanged = true;
  }
}
