import { randomUUID } from "node:crypto";
import { FlotillaError } from "@flotilla/core";
import { Prisma, type Webhook } from "@flotilla/db";
import { z } from "zod";
import type { Actor, UserActor } from "../access/actor.ts";
import { notFound, requireUser } from "../access/authorize.ts";
import type { ObjectRef } from "../access/can.ts";
import { sealText } from "../access/secrets.ts";
import { difference } from "../audit/difference.ts";
import { recordAudit } from "../audit/record.ts";
import type { ServiceContext } from "../context.ts";
import { enqueueTest, secretContext } from "./events.ts";
import { makeWebhookSecret } from "./sign.ts";

const MAX_WEBHOOKS = 50;
const DAY_MS = 86_400_000;

const url = z
  .url({ protocol: /^https?$/ })
  .max(2_048)
  .refine((text) => URL.canParse(text) && new URL(text).username === "" && new URL(text).password === "", "must hold no password");
const event = z
  .string()
  .max(100)
  .regex(/^[a-z][A-Za-z]*(\.[A-Za-z]+){0,2}(\.\*)?$/, "must be an event such as deployment.failed, or audit.*");
const events = z.array(event).min(1).max(50);
const name = z.string().trim().min(1).max(100);

export const webhookRef = z.object({ id: z.string().min(1).max(64) });
/** `allowsPrivate` is for administrators of the instance: addresses that are not public, and plain HTTP. */
export const newWebhook = z.object({ name, url, events, allowsPrivate: z.boolean().default(false) });
export const webhookChange = webhookRef.extend({
  name: name.optional(),
  url: url.optional(),
  events: events.optional(),
  isEnabled: z.boolean().optional(),
  allowsPrivate: z.boolean().optional(),
});
export const deliveriesInput = webhookRef.extend({ cursor: z.string().max(64).optional(), limit: z.int().min(1).max(200).default(50) });
export const deliveryRef = webhookRef.extend({ deliveryId: z.string().min(1).max(64) });

export type WebhookRow = {
  id: string;
  name: string;
  url: string;
  events: string[];
  isEnabled: boolean;
  allowsPrivate: boolean;
  createdAt: string;
};
export type DeliveryRow = {
  id: string;
  type: string;
  state: string;
  attempts: number;
  createdAt: string;
  nextAt: string | null;
  endedAt: string | null;
  status: number | null;
  error: string | null;
  answer: string | null;
  payload: string;
};

export async function listWebhooks(services: ServiceContext, actor: Actor): Promise<WebhookRow[]> {
  const { team } = requireUser(actor);
  const rows = await services.prisma.webhook.findMany({ where: { teamId: team.id }, orderBy: { name: "asc" } });
  return rows.map((row) => {
    const { id, isEnabled, allowsPrivate, createdAt } = row;
    return { id, name: row.name, url: row.url, events: row.events, isEnabled, allowsPrivate, createdAt: createdAt.toISOString() };
  });
}

/** Makes a webhook. Its secret is given out here and by a rotation, nowhere else. @throws conflict, forbidden, exhausted */
export async function createWebhook(
  services: ServiceContext,
  actor: Actor,
  input: z.output<typeof newWebhook>,
): Promise<{ id: string; secret: string }> {
  const user = requireUser(actor);
  requireTarget(user, input);
  const id = randomUUID();
  const secret = makeWebhookSecret();
  const sealedSecret = sealText(services.registry.sealKey, secret, secretContext(id));
  await unlessTaken(input.name, () =>
    services.prisma.$transaction(async (tx) => {
      if ((await tx.webhook.count({ where: { teamId: user.team.id } })) >= MAX_WEBHOOKS)
        throw new FlotillaError("exhausted", `a team may have ${MAX_WEBHOOKS} webhooks`);
      await tx.webhook.create({ data: { id, teamId: user.team.id, ...input, sealedSecret } });
      const detail = { host: new URL(input.url).host, events: input.events.join(", ") };
      await recordAudit(tx, { actor, action: "webhook.change", object: objectOf(user, { id, name: input.name }), outcome: "ok", detail });
    }),
  );
  return { id, secret };
}

/** Changes what is given. @throws not_found, conflict, forbidden */
export async function updateWebhook(services: ServiceContext, actor: Actor, input: z.output<typeof webhookChange>): Promise<void> {
  const user = requireUser(actor);
  const { id, ...given } = input;
  const before = await findWebhook(services, user, id);
  requireTarget(user, { url: given.url ?? before.url, allowsPrivate: given.allowsPrivate ?? before.allowsPrivate });
  const data = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Prisma.WebhookUpdateInput;
  await unlessTaken(given.name ?? "", () =>
    services.prisma.$transaction(async (tx) => {
      await tx.webhook.update({ where: { id }, data });
      // An address may hold a token of the receiver: of it only the host is told.
      const { url: to, ...plain } = given;
      const changes = {
        ...difference(before, plain),
        ...(to === undefined ? {} : difference({ host: new URL(before.url).host }, { host: new URL(to).host })),
      };
      await recordAudit(tx, { actor, action: "webhook.change", object: objectOf(user, before), outcome: "ok", changes });
    }),
  );
}

export async function removeWebhook(services: ServiceContext, actor: Actor, id: string): Promise<void> {
  const user = requireUser(actor);
  const row = await findWebhook(services, user, id);
  await services.prisma.$transaction(async (tx) => {
    await tx.webhook.delete({ where: { id } });
    await recordAudit(tx, { actor, action: "webhook.remove", object: objectOf(user, row), outcome: "ok" });
  });
}

/** A new secret; messages are signed by the one before too, for a day. */
export async function rotateWebhookSecret(services: ServiceContext, actor: Actor, id: string): Promise<{ secret: string }> {
  const user = requireUser(actor);
  const row = await findWebhook(services, user, id);
  const secret = makeWebhookSecret();
  const sealedSecret = sealText(services.registry.sealKey, secret, secretContext(id));
  const old = { sealedOldSecret: row.sealedSecret, oldSecretUntil: new Date(services.nowMs() + DAY_MS) };
  await services.prisma.$transaction(async (tx) => {
    await tx.webhook.update({ where: { id }, data: { sealedSecret, ...old } });
    await recordAudit(tx, { actor, action: "webhook.change", object: objectOf(user, row), outcome: "ok", detail: { rotated: true } });
  });
  return { secret };
}

/** What was sent, newest first. */
export async function listDeliveries(
  services: ServiceContext,
  actor: Actor,
  { id, cursor, limit }: z.output<typeof deliveriesInput>,
): Promise<{ items: DeliveryRow[]; nextCursor: string | null }> {
  await findWebhook(services, requireUser(actor), id);
  const rows = await services.prisma.webhookDelivery.findMany({
    where: { webhookId: id, ...(cursor === undefined ? {} : { id: { lt: cursor } }) },
    orderBy: { id: "desc" },
    take: limit + 1,
  });
  const page = rows.slice(0, limit).map((row) => ({
    id: row.id,
    type: row.type,
    state: row.state,
    attempts: row.attempts,
    createdAt: row.createdAt.toISOString(),
    nextAt: row.state === "waiting" ? row.nextAt.toISOString() : null,
    endedAt: row.endedAt?.toISOString() ?? null,
    status: row.lastStatus,
    error: row.lastError,
    answer: row.lastAnswer,
    payload: row.payload,
  }));
  return { items: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
}

/** Sends a message once more, with its id, so that a receiver that has it knows. @throws not_found */
export async function redeliver(services: ServiceContext, actor: Actor, ref: z.output<typeof deliveryRef>): Promise<void> {
  const user = requireUser(actor);
  const row = await findWebhook(services, user, ref.id);
  await services.prisma.$transaction(async (tx) => {
    const again = { state: "waiting", attempts: 0, nextAt: new Date(services.nowMs()), takenUntil: null, endedAt: null };
    const { count } = await tx.webhookDelivery.updateMany({ where: { id: ref.deliveryId, webhookId: ref.id }, data: again });
    if (count === 0) throw notFound("delivery", ref.deliveryId);
    const detail = { redelivered: ref.deliveryId };
    await recordAudit(tx, { actor, action: "webhook.change", object: objectOf(user, row), outcome: "ok", detail });
    await tx.$executeRaw`SELECT pg_notify('flotilla_webhooks', '')`;
  });
}

/** Sends `webhook.test` to one webhook, whatever it wants. @throws not_found, conflict while it is switched off */
export async function testWebhook(services: ServiceContext, actor: Actor, id: string): Promise<void> {
  const row = await findWebhook(services, requireUser(actor), id);
  if (!row.isEnabled) throw new FlotillaError("conflict", "this webhook is switched off");
  await enqueueTest(services, row);
}

/** A webhook as the object of an action. @throws not_found, also for those of other teams. */
export async function webhookObject(services: ServiceContext, actor: Actor, id: string): Promise<ObjectRef> {
  const user = requireUser(actor);
  return objectOf(user, await findWebhook(services, user, id));
}

async function findWebhook(services: ServiceContext, actor: UserActor, id: string): Promise<Webhook> {
  const row = await services.prisma.webhook.findFirst({ where: { id, teamId: actor.team.id } });
  if (row === null) throw notFound("webhook", id);
  return row;
}

function objectOf(actor: UserActor, row: { id: string; name: string }): ObjectRef {
  return { kind: "webhook", id: row.id, name: row.name, teamId: actor.team.id };
}

function requireTarget(actor: UserActor, target: { url: string; allowsPrivate: boolean }): void {
  if (target.allowsPrivate && !actor.isInstanceAdmin)
    throw new FlotillaError("forbidden", "only an administrator of the instance may allow addresses that are not public");
  if (!target.allowsPrivate && !target.url.startsWith("https://"))
    throw new FlotillaError("invalid", "url: must be https, unless an administrator of the instance allows addresses that are not public");
}

async function unlessTaken<T>(wanted: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002")
      throw new FlotillaError("conflict", `there is a webhook ${wanted} already`);
    throw error;
  }
}
