import { createHash } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import { Prisma, type Stack, type Transaction } from "@flotilla/db";
import { z } from "zod";
import type { Actor } from "../../access/actor.ts";
import { requireUser } from "../../access/authorize.ts";
import { recordAudit } from "../../audit/record.ts";
import type { ServiceContext } from "../../context.ts";
import { notifyHostState } from "../../host-state/notify-host-state.ts";
import { addRevision, beginDeployment, PATIENT, refuseMissingNetworks, setTargets, stackRef } from "../deploy-stack.ts";
import { checkPorts } from "../plan-input.ts";
import { volumesOf } from "../service-policy.ts";
import { serviceTarget } from "../stack-model.ts";
import { lockStacks, notifyStacks } from "../stack-rows.ts";
import { sealVariable } from "../stack-source.ts";
import { type Adoption, type AdoptionPlan, projectRef, readAdoption } from "./plan-adoption.ts";

/** `basis`: of the plan that was seen; without it what is there now is taken as seen. */
export const adoptInput = projectRef.extend({ basis: z.string().max(64).optional() });

export type Adopted = { stackId: string; deploymentId: string; revision: number; plan: AdoptionPlan };

/**
 * Makes a compose project of a host a stack: its containers become replicas, those that differ are then rolled like an older version. All or
 * nothing. @throws conflict when the plan is stale, or there is a stack of this name.
 */
export async function adoptProject(services: ServiceContext, actor: Actor, input: z.output<typeof adoptInput>): Promise<Adopted> {
  const { team, email: actorName } = requireUser(actor);
  const adoption = await readAdoption(services, actor, input);
  const { plan, loaded } = adoption;
  if (input.basis !== undefined && input.basis !== plan.basis)
    throw new FlotillaError("conflict", `the plan is not of what is there any more, plan again: containers of ${plan.project} changed`);
  return services.prisma.$transaction(async (tx) => {
    await lockStacks(tx, team.id);
    const now = new Date(services.nowMs());
    const { name } = loaded.project;
    const found = await tx.stack.findUnique({ where: { teamId_name: { teamId: team.id, name } } });
    if (found !== null) throw new FlotillaError("conflict", `there is a stack ${name} already`);
    await checkPorts(tx, { services, teamId: team.id, project: loaded.project });
    await refuseMissingNetworks(tx, { teamId: team.id, project: loaded.project });
    const stack = await tx.stack.create({ data: { teamId: team.id, name, createdAt: now } });
    await storeVariables(tx, { services, stack, variables: adoption.draft.variables });
    const revision = await addRevision(tx, { services, actor, stack, loaded, now });
    await setTargets(tx, { stack, project: loaded.project, revision, now, files: {} });
    await makeReplicas(tx, { stack, adoption, now });
    const deploymentId = await beginDeployment(tx, { stackId: stack.id, revision, kind: "adopt", actorName, plan: rowOf(plan), now });
    const detail = { verb: "adopt", revision, host: plan.host.name, services: plan.services.length };
    await recordAudit(tx, { actor, action: "stack.adopt", object: stackRef(stack), outcome: "ok", detail });
    await notifyStacks(tx, team.id);
    await notifyHostState(tx, { teamId: team.id });
    return { stackId: stack.id, deploymentId, revision, plan };
  }, PATIENT);
}

/** What a deployment's page shows of it; the file is in the revision. */
function rowOf({ services, notes, issues }: AdoptionPlan): object {
  return { services, networks: [], notes, issues };
}

type Variables = { services: ServiceContext; stack: Stack; variables: Readonly<Record<string, string>> };

async function storeVariables(tx: Transaction, { services, stack, variables }: Variables): Promise<void> {
  const data = Object.entries(variables).map(([name, value]) => ({
    stackId: stack.id,
    name,
    sealed: sealVariable(services, { stackId: stack.id, name, value }),
  }));
  await tx.stackVariable.createMany({ data });
}

/** One for each container. What is not like the revision has the hash of no version: it is outdated from the beginning. */
async function makeReplicas(tx: Transaction, { stack, adoption, now }: { stack: Stack; adoption: Adoption; now: Date }): Promise<void> {
  const { draft, host, loaded } = adoption;
  for (const { name, containers } of draft.services) {
    const row = await tx.stackService.findUniqueOrThrow({ where: { stackId_name: { stackId: stack.id, name } } });
    const target = serviceTarget.parse(row.target);
    const [service] = Object.entries(loaded.project.services).flatMap(([key, each]) => (key === name ? [each] : []));
    for (const volume of service === undefined ? [] : volumesOf(loaded.project, service))
      await tx.$executeRaw(
        Prisma.sql`INSERT INTO stack_volumes (stack_id, name, host_id) VALUES (${stack.id}, ${volume}, ${host.id}) ON CONFLICT DO NOTHING`,
      );
    for (const { id, slot, isTaken, why } of containers) {
      const hash = isTaken ? target.hash : `adopted-${createHash("sha256").update(id).digest("hex").slice(0, 16)}`;
      const because = adoption.plan.services.find((planned) => planned.name === name)?.replicas.find((each) => each.slot === slot)?.because;
      await tx.stackReplica.create({
        data: {
          serviceId: row.id,
          hostId: host.id,
          slot,
          hash,
          target,
          because: because ?? "",
          reasons: [why],
          createdAt: now,
          adopts: id,
        },
      });
    }
  }
}
