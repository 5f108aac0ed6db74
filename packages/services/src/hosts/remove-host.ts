import type { Actor } from "../access/actor.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { findHost, hostObject } from "./find-host.ts";

/** Forgets a host and its key: its agent is refused from now on. Its containers run on. */
export async function removeHost(services: ServiceContext, actor: Actor, ref: string): Promise<void> {
  const host = await findHost(services, actor, ref);
  await services.prisma.$transaction(async (tx) => {
    await tx.host.delete({ where: { id: host.id } });
    await recordAudit(tx, { actor, action: "host.remove", object: hostObject(host), outcome: "ok" });
    // The others forget its place in their networks.
    await notifyHostState(tx, { teamId: host.teamId });
  });
  services.cache.clear();
  services.links.drop(host.id, "the host was removed");
}
