import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { Prisma, type Transaction } from "@flotilla/db";
import { NETWORK_WISH, networkId, type NetworkRefusal, networkRefusal, type NetworkWish, networkWish } from "@flotilla/protocol";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { authorize } from "../access/authorize.ts";
import type { ObjectRef } from "../access/can.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { createOverlayIn, pinAddressIn } from "./create-overlay.ts";
import { growNetworkIn } from "./grow-network.ts";
import { removeOverlayIn } from "./remove-overlay.ts";
import { lockTeam } from "./settle-overlays.ts";

type WishingHost = { id: string; name: string; teamId: string; namespace: string };
type HeldWish = { id: string; revision: string; body: unknown };

const rows = z.array(z.unknown());
const nonceOf = z.looseObject({ nonce: z.string().max(64) });
const LIMITS = { maxWait: 15_000, timeout: 30_000 } as const;

/**
 * Fulfils or refuses what a host wishes, as it was reported last. Each wish in a transaction of its own, which looks first
 * whether it is still wished: a host that gave up gets nothing. Doing it twice is doing it once.
 */
export async function answerWishes(services: ServiceContext, hostId: string): Promise<void> {
  const found = await services.prisma.host.findUnique({ where: { id: hostId }, include: { team: true } });
  if (found === null) return;
  const host: WishingHost = { id: found.id, name: found.name, teamId: found.teamId, namespace: found.team.namespace };
  const held = await services.prisma.hostObserved.findMany({
    where: { hostId, key: { startsWith: `${NETWORK_WISH}/` } },
    orderBy: { key: "asc" },
  });
  const wishes = held.map(({ key, revision, body }) => ({ id: key.slice(NETWORK_WISH.length + 1), revision, body }));
  await forgetRefusals(services, { hostId, except: wishes.map(({ id }) => id) });
  for (const wish of wishes) await answer(services, host, wish);
}

/** A refusal goes with its wish. */
async function forgetRefusals(services: ServiceContext, { hostId, except }: { hostId: string; except: string[] }): Promise<void> {
  await services.prisma.$transaction(async (tx) => {
    const { count } = await tx.overlayRefusal.deleteMany({ where: { hostId, networkId: { notIn: except } } });
    if (count > 0) await notifyHostState(tx, { hostId });
  });
}

/** For all hosts whose connection is here: what a fault of the database kept from being answered. */
export async function answerAllWishes(services: ServiceContext): Promise<void> {
  const held = await services.prisma.hostObserved.findMany({
    where: { key: { startsWith: `${NETWORK_WISH}/` } },
    select: { hostId: true },
    distinct: ["hostId"],
  });
  for (const { hostId } of held) if (services.links.state(hostId).isOnline) await answerWishes(services, hostId);
}

async function answer(services: ServiceContext, host: WishingHost, wish: HeldWish): Promise<void> {
  const { data: nonced } = nonceOf.safeParse(wish.body);
  const nonce = nonced?.nonce ?? "";
  const refused = await services.prisma.overlayRefusal.findUnique({ where: { hostId_networkId: { hostId: host.id, networkId: wish.id } } });
  if (refused?.nonce === nonce) return;
  const parsed = networkWish.safeParse(wish.body);
  const actor = actorOf(services, host, parsed.data);
  try {
    if (!parsed.success || !networkId.safeParse(wish.id).success)
      throw new FlotillaError("invalid", "the wish is not understood: the agent may be newer");
    await fulfil(services, { host, wish, asked: parsed.data, actor });
  } catch (error) {
    const known = toFlotillaError(error);
    const code = networkRefusal.shape.code.safeParse(known.code);
    if (!code.success) throw error;
    const isAudited = parsed.data?.verb !== "grow";
    await refuse(services, { host, wish, actor, isAudited, refusal: { nonce, code: code.data, message: known.message.slice(0, 1_000) } });
  }
}

/** Who is behind it: the caller that came through the control plane, else the host, whose own socket it was. */
function actorOf(services: ServiceContext, host: WishingHost, wish: NetworkWish | undefined): Actor {
  const own: Actor = { kind: "host", hostId: host.id, name: host.name, teamId: host.teamId, address: null };
  return services.callers.find(host.id, wish?.caller) ?? own;
}

type Fulfilment = { host: WishingHost; wish: HeldWish; asked: NetworkWish; actor: Actor };

async function fulfil(services: ServiceContext, { host, wish, asked, actor }: Fulfilment): Promise<void> {
  const { teamId, namespace } = host;
  if (asked.namespace !== namespace)
    throw new FlotillaError("forbidden", `overlay networks of this host are in namespace ${namespace}, not in ${asked.namespace}`);
  const id = "networkId" in asked ? asked.networkId : wish.id;
  const object: ObjectRef = { kind: "network", id, name: asked.verb === "create" ? asked.request.name : id, teamId };
  await authorize(services, actor, { action: asked.verb === "remove" ? "network.remove" : "network.change", object });
  await services.prisma.$transaction(async (tx) => {
    if (!(await isStillWished(tx, host.id, wish))) return;
    await lockTeam(tx, teamId);
    if (asked.verb === "create") await createOverlayIn(tx, { services, actor, teamId, id: wish.id, request: asked.request });
    else if (asked.verb === "grow") await growNetworkIn(tx, services, { teamId, networkId: id, hostId: host.id, blocks: asked.blocks });
    else if (asked.verb === "pin") await pin(tx, { services, host, actor, object, address: asked.address });
    // Gone already is what was wished.
    else if ((await tx.overlayNetwork.count({ where: { id: wish.id, teamId } })) > 0)
      await removeOverlayIn(tx, { actor, teamId, network: wish.id });
  }, LIMITS);
}

type Pinning = { services: ServiceContext; host: WishingHost; actor: Actor; object: ObjectRef; address: string };

async function pin(tx: Transaction, { services, host, actor, object, address }: Pinning): Promise<void> {
  await pinAddressIn(tx, services, { networkId: object.id, hostId: host.id, address });
  const detail = { verb: "pin", address, host: host.name };
  await recordAudit(tx, { actor, action: "network.change", object, outcome: "ok", detail });
}

/** Holds the wish as it is until the transaction ends. */
async function isStillWished(tx: Transaction, hostId: string, wish: HeldWish): Promise<boolean> {
  const held = await tx.$queryRaw(Prisma.sql`
    SELECT 1 FROM host_observed WHERE host_id = ${hostId} AND key = ${`${NETWORK_WISH}/${wish.id}`} AND revision = ${wish.revision} FOR SHARE`);
  return rows.parse(held).length > 0;
}

type Refusing = {
  host: WishingHost;
  wish: HeldWish;
  actor: Actor;
  refusal: NetworkRefusal;
  /** Blocks of addresses come and go by themselves: of a full network each start of a container would be a row. */
  isAudited: boolean;
};

async function refuse(services: ServiceContext, { host, wish, actor, refusal, isAudited }: Refusing): Promise<void> {
  const where = { hostId_networkId: { hostId: host.id, networkId: wish.id } };
  const row = { ...refusal, createdAt: new Date(services.nowMs()) };
  const object: ObjectRef = { kind: "network", id: wish.id, name: wish.id, teamId: host.teamId };
  await services.prisma.$transaction(async (tx) => {
    await tx.overlayRefusal.upsert({ where, create: { hostId: host.id, networkId: wish.id, ...row }, update: row });
    if (isAudited)
      await recordAudit(tx, { actor, action: "network.change", object, outcome: "failed", detail: { error: refusal.message } });
    await notifyHostState(tx, { hostId: host.id });
  });
}
