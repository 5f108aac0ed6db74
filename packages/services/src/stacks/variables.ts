import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { stackInputRef } from "./control-stack.ts";
import { stackRef } from "./deploy-stack.ts";
import { tellPages } from "./stack-rows.ts";
import { sealVariable } from "./stack-source.ts";

/** null takes a variable away. Values count with the next plan or deployment. */
export const variablesInput = stackInputRef.extend({
  variables: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be letters, digits and _"), z.string().max(65_536).nullable()),
});

/** Names alone: a value may be a password. */
export async function listVariables(services: ServiceContext, actor: Actor, stack: string): Promise<string[]> {
  const { team } = requireUser(actor);
  const rows = await services.prisma.stackVariable.findMany({
    where: { stack: { teamId: team.id, name: stack } },
    select: { name: true },
    orderBy: { name: "asc" },
  });
  return rows.map(({ name }) => name);
}

export async function setVariables(services: ServiceContext, actor: Actor, input: z.output<typeof variablesInput>): Promise<void> {
  const { team } = requireUser(actor);
  await services.prisma.$transaction(async (tx) => {
    const stack = await tx.stack.findUnique({ where: { teamId_name: { teamId: team.id, name: input.stack } } });
    if (stack === null) throw notFound("stack", input.stack);
    for (const [name, value] of Object.entries(input.variables)) {
      const where = { stackId_name: { stackId: stack.id, name } };
      if (value === null) await tx.stackVariable.deleteMany({ where: { stackId: stack.id, name } });
      else {
        const sealed = sealVariable(services, { stackId: stack.id, name, value });
        await tx.stackVariable.upsert({ where, create: { stackId: stack.id, name, sealed }, update: { sealed } });
      }
    }
    const detail = { verb: "variables", names: Object.keys(input.variables).join(", ") };
    await recordAudit(tx, { actor, action: "stack.deploy", object: stackRef(stack), outcome: "ok", detail });
    await tellPages(tx, team.id);
  });
}
