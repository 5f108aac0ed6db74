import { randomBytes } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import { type OverlayNetwork, Prisma, type Transaction } from "@flotilla/db";
import type { NetworkRequest } from "@flotilla/protocol";
import type { Actor } from "../access/actor.ts";
import type { ObjectRef } from "../access/can.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { readOverlayRows } from "./overlay-rows.ts";
import { planNetwork, type NetworkPlan } from "./plan-network.ts";
import { lockTeam, settleLeases } from "./settle-overlays.ts";

export type CreateOverlay = {
  teamId: string;
  request: NetworkRequest;
  /** Chosen by the host that wishes it; by us otherwise. */
  id?: string;
};

export type CreatedOverlay = { id: string; warnings: string[] };

export function overlayObject(network: Pick<OverlayNetwork, "id" | "name" | "teamId">): ObjectRef {
  return { kind: "network", id: network.id, name: network.name, teamId: network.teamId };
}

/**
 * Makes an overlay network and leases a block of it to every host of the team. With an id that the team's network of this
 * name has already it is done, so that a wish may be fulfilled twice.
 * @throws conflict for a name in use, and what `planNetwork` throws.
 */
export async function createOverlay(services: ServiceContext, actor: Actor, input: CreateOverlay): Promise<CreatedOverlay> {
  return services.prisma.$transaction((tx) => createOverlayIn(tx, { services, actor, ...input }), { maxWait: 15_000, timeout: 30_000 });
}

/** The same, as a part of something larger. */
export async function createOverlayIn(
  tx: Transaction,
  input: CreateOverlay & { services: ServiceContext; actor: Actor },
): Promise<CreatedOverlay> {
  const { services, actor, teamId, request, id = randomBytes(32).toString("hex") } = input;
  await lockTeam(tx, teamId);
  const clash = await tx.overlayNetwork.findFirst({ where: { OR: [{ id }, { teamId, name: request.name }] } });
  if (clash !== null) {
    if (clash.id === id && clash.teamId === teamId && clash.name === request.name) return { id, warnings: [] };
    throw new FlotillaError("conflict", `network with name ${request.name} already exists`);
  }
  const { networks, hosts } = await readOverlayRows(tx, teamId);
  const plan = planNetwork(request, {
    id,
    taken: networks.map(({ subnet }) => subnet),
    routes: new Map(hosts.map(({ name, underlay }) => [name, underlay?.routes ?? []])),
    hosts: hosts.length,
    ...(services.overlayPool === undefined ? {} : { pool: services.overlayPool }),
  });
  const made = await insertNetwork(tx, { services, teamId, request, id, plan });
  await settleLeases(services, tx, teamId);
  await recordAudit(tx, {
    actor,
    action: "network.change",
    object: overlayObject(made),
    outcome: "ok",
    detail: { verb: "create", driver: "overlay", subnet: made.subnet, vni: made.vni },
  });
  await notifyHostState(tx, { teamId });
  return { id, warnings: plan.warnings };
}

type Insert = { services: ServiceContext; teamId: string; request: NetworkRequest; id: string; plan: NetworkPlan };

async function insertNetwork(tx: Transaction, { services, teamId, request, id, plan }: Insert): Promise<OverlayNetwork> {
  const now = new Date(services.nowMs());
  const { reserved, warnings: _, ...addressing } = plan;
  const { name, isInternal, isAttachable, labels, options } = request;
  const made = await tx.overlayNetwork.create({
    data: { id, teamId, name, isInternal, isAttachable, labels, options, createdAt: now, ...addressing },
  });
  await tx.overlayLease.createMany({ data: reserved.map((cidr) => ({ networkId: id, kind: "reserved", cidr, leasedAt: now })) });
  return made;
}

/**
 * Takes one address out of everybody's hands and gives it to a host: for `--ip` outside the host's blocks.
 * @throws conflict when it is in a block or pinned already, or outside of the subnet.
 */
export async function pinAddress(services: ServiceContext, pin: { networkId: string; hostId: string; address: string }): Promise<void> {
  const { networkId, hostId, address } = pin;
  await services.prisma.$transaction(async (tx) => {
    const host = await tx.host.findUniqueOrThrow({ where: { id: hostId } });
    const leased = await tx.$executeRaw(Prisma.sql`
      INSERT INTO overlay_leases (id, network_id, kind, host_id, cidr, leased_at)
      SELECT gen_random_uuid()::text, id, 'pin', ${hostId}, ${address}::inet, ${new Date(services.nowMs())} FROM overlay_networks
      WHERE id = ${networkId} AND team_id = ${host.teamId} AND ${address}::inet << subnet::inet ON CONFLICT DO NOTHING`);
    if (leased === 0) throw new FlotillaError("conflict", "Address already in use");
    await notifyHostState(tx, { teamId: host.teamId });
  });
}
