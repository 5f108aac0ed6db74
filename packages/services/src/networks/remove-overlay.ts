import { FlotillaError } from "@flotilla/core";
import type { OverlayNetwork, Transaction } from "@flotilla/db";
import { observedNetwork } from "@flotilla/protocol";
import type { Actor } from "../access/actor.ts";
import { notFound } from "../access/authorize.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { overlayObject } from "./create-overlay.ts";
import { NETWORK } from "./overlay-rows.ts";
import { lockTeam } from "./settle-overlays.ts";

/** An overlay network of a team by id or name. @throws not_found, in the same words for those of other teams. */
export async function findOverlay(db: Pick<Transaction, "overlayNetwork">, teamId: string, ref: string): Promise<OverlayNetwork> {
  const found = await db.overlayNetwork.findFirst({ where: { teamId, OR: [{ id: ref }, { name: ref }] }, orderBy: { id: "asc" } });
  if (found === null) throw notFound("network", ref);
  return found;
}

/** Removes an overlay network. @throws not_found; forbidden while a host has an endpoint on it, in Docker's words. */
export async function removeOverlay(services: ServiceContext, actor: Actor, ref: { teamId: string; network: string }): Promise<void> {
  await services.prisma.$transaction((tx) => removeOverlayIn(tx, { actor, ...ref }), { maxWait: 15_000 });
}

/** The same, as a part of something larger. */
export async function removeOverlayIn(tx: Transaction, input: { actor: Actor; teamId: string; network: string }): Promise<void> {
  const { actor, teamId } = input;
  await lockTeam(tx, teamId);
  const network = await findOverlay(tx, teamId, input.network);
  const said = await tx.hostObserved.findMany({
    where: { key: `${NETWORK}/${network.id}`, host: { teamId } },
    include: { host: { select: { name: true } } },
  });
  const busy = said.filter(({ body }) => (observedNetwork.safeParse(body).data?.endpoints.length ?? 0) > 0).map(({ host }) => host.name);
  if (busy.length > 0) {
    const where = busy.toSorted().slice(0, 5).join(", ");
    const message = `error while removing network: network ${network.name} id ${network.id} has active endpoints (on ${where})`;
    throw new FlotillaError("forbidden", message);
  }
  await tx.overlayNetwork.delete({ where: { id: network.id } });
  await recordAudit(tx, { actor, action: "network.remove", object: overlayObject(network), outcome: "ok", detail: { driver: "overlay" } });
  await notifyHostState(tx, { teamId });
}
