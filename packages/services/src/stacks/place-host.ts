import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { difference } from "../audit/difference.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { findHost } from "../hosts/find-host.ts";
import { hostRef } from "../hosts/schemas.ts";
import { lockStacks, notifyStacks } from "./stack-rows.ts";

const labelName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,126}$/, "must be letters, digits, . _ / -");

/** `labels` replaces all of them; what is left out stays. */
export const placeHostInput = z.object({
  host: hostRef,
  availability: z.enum(["active", "cordon", "drain"]).optional(),
  labels: z.record(labelName, z.string().max(256)).optional(),
});

/** Says what the scheduler may do with a host. */
export async function placeHost(services: ServiceContext, actor: Actor, input: z.output<typeof placeHostInput>): Promise<void> {
  const host = await findHost(services, actor, input.host);
  await services.prisma.$transaction(async (tx) => {
    await lockStacks(tx, host.teamId);
    const { availability, labels } = input;
    const data = { ...(availability === undefined ? {} : { availability }), ...(labels === undefined ? {} : { labels }) };
    await tx.host.update({ where: { id: host.id }, data });
    await recordAudit(tx, {
      actor,
      action: "host.place",
      object: { kind: "host", id: host.id, name: host.name, teamId: host.teamId },
      outcome: "ok",
      changes: difference(host, { availability, labels }),
    });
    await notifyStacks(tx, host.teamId);
  });
}
