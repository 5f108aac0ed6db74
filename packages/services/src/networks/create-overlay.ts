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
import { PIN_RESTS_MS } from "./plan-leases.ts";
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

export type AddressPin = { networkId: string; hostId: string; address: string };

/**
 * Takes one address out of everybody's hands and gives it to a host: for `--ip` outside the host's blocks. A host that has it keeps
 * it; another's moves when that one has nobody with it. @throws not_found; conflict when it is in a block, in use, or outside of the subnet.
 */
export async function pinAddress(services: ServiceContext, pin: AddressPin): Promise<void> {
  await services.prisma.$transaction((tx) => pinAddressIn(tx, services, pin));
}

export async function pinAddressIn(tx: Transaction, services: ServiceContext, { networkId, hostId, address }: AddressPin): Promise<void> {
  const { teamId } = await tx.host.findUniqueOrThrow({ where: { id: hostId } });
  if ((await tx.overlayNetwork.count({ where: { id: networkId, teamId } })) === 0)
    throw new FlotillaError("not_found", `network ${networkId.slice(0, 12)} not found`);
  const leased = await tx.$executeRaw(Prisma.sql`
    INSERT INTO overlay_leases (id, network_id, kind, host_id, cidr, leased_at)
    SELECT gen_random_uuid()::text, id, 'pin', ${hostId}, ${address}::inet, ${new Date(services.nowMs())} FROM overlay_networks
    WHERE id = ${networkId} AND ${address}::inet << subnet::inet ON CONFLICT DO NOTHING`);
  if (leased === 0) await takeOverPin(tx, { networkId, hostId, address }, services.nowMs());
  await notifyHostState(tx, { teamId });
}

/** Of a host that says of no endpoint that it has the address; one that is away said so last. */
async function takeOverPin(tx: Transaction, { networkId, hostId, address }: AddressPin, nowMs: number): Promise<void> {
  const [now, rested] = [new Date(nowMs), new Date(nowMs - PIN_RESTS_MS)];
  const moved = await tx.$executeRaw(Prisma.sql`
    UPDATE overlay_leases SET host_id = ${hostId}, leased_at = ${now}, released_at = NULL
    WHERE network_id = ${networkId} AND kind = 'pin' AND cidr = ${address}::inet
      AND (host_id = ${hostId} OR leased_at < ${rested} AND NOT EXISTS (
        SELECT 1 FROM host_observed, jsonb_array_elements(body -> 'endpoints') AS endpoint
        WHERE key = ${`network/${networkId}`} AND endpoint ->> 'address' = ${address}))`);
  if (moved === 0) throw new FlotillaError("conflict", "Address already in use");
}
