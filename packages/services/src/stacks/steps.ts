import type { Transaction } from "@flotilla/db";
import type { StepSaid } from "./reasons.ts";

/** What happened in a deployment. */
export type Step = {
  stackId: string;
  service: string;
  replicaId: string | null;
  host: string | null;
  level: "info" | "failure";
  text: string;
  said?: StepSaid;
};

/** Writes steps into the newest deployment of their stacks. What happens after its end (healing) is part of its story too. */
export async function addStep(tx: Transaction, steps: readonly Step[]): Promise<void> {
  const newest = new Map<string, string | undefined>();
  const data = [];
  for (const { stackId, ...step } of steps) {
    if (!newest.has(stackId)) {
      const found = await tx.stackDeployment.findFirst({ where: { stackId }, orderBy: { id: "desc" }, select: { id: true } });
      newest.set(stackId, found?.id);
    }
    const deploymentId = newest.get(stackId);
    if (deploymentId !== undefined) data.push({ deploymentId, time: new Date(), ...step });
  }
  if (data.length > 0) await tx.stackDeploymentStep.createMany({ data });
}
