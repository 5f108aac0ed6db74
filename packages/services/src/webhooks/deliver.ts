import type { Webhook, WebhookDelivery } from "@flotilla/db";
import { toFlotillaError } from "@flotilla/core";
import { openText } from "../access/secrets.ts";
import type { ServiceContext } from "../context.ts";
import { secretContext } from "./events.ts";
import { sendWebhook, type WebhookAnswer } from "./send-webhook.ts";
import { retryAfterSeconds, signWebhook } from "./sign.ts";

const BATCH = 20;
/** Longer than an attempt takes: a control plane that was killed meanwhile leaves it to the others after that. */
const TAKEN_MS = 60_000;
const KEEP_MS = 30 * 86_400_000;

type Due = WebhookDelivery & { webhook: Webhook };

/** Sends what is due, beside each other, each by one control plane. @returns how many were tried. */
export async function deliverDue(services: ServiceContext, send: typeof sendWebhook = sendWebhook): Promise<number> {
  const { prisma } = services;
  const now = new Date(services.nowMs());
  const until = new Date(services.nowMs() + TAKEN_MS);
  const taken = await prisma.$queryRaw<{ id: string }[]>`
    UPDATE webhook_deliveries SET taken_until = ${until} WHERE id IN (
      SELECT id FROM webhook_deliveries WHERE state = 'waiting' AND next_at <= ${now} AND (taken_until IS NULL OR taken_until <= ${now})
      ORDER BY next_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) RETURNING id`;
  if (taken.length === 0) return 0;
  const due = await prisma.webhookDelivery.findMany({ where: { id: { in: taken.map(({ id }) => id) } }, include: { webhook: true } });
  await Promise.all(due.map((delivery) => deliver(services, { delivery, until, send })));
  return due.length;
}

type Attempt = { delivery: Due; until: Date; send: typeof sendWebhook };

/** What came of it is written down as long as the message is still taken by this attempt: a later one knows better. */
async function deliver(services: ServiceContext, { delivery, until, send }: Attempt): Promise<void> {
  const { id, payload, webhook } = delivery;
  let answer: WebhookAnswer;
  try {
    answer = await send(webhook, { headers: signedHeaders(services, delivery), payload });
  } catch (error) {
    answer = { status: null, error: toFlotillaError(error).message, answer: null };
  }
  const now = services.nowMs();
  const attempts = delivery.attempts + 1;
  const wait = answer.error === null ? undefined : retryAfterSeconds(attempts);
  const state = answer.error === null ? "delivered" : wait === undefined ? "failed" : "waiting";
  const next = wait === undefined ? {} : { nextAt: new Date(now + wait * 1_000 * (1 + Math.random() * 0.1)) };
  const ended = state === "waiting" ? {} : { endedAt: new Date(now) };
  const last = { lastStatus: answer.status, lastError: answer.error, lastAnswer: answer.answer };
  await services.prisma.webhookDelivery.updateMany({
    where: { id, takenUntil: until },
    data: { state, attempts, takenUntil: null, ...next, ...ended, ...last },
  });
}

function signedHeaders(services: ServiceContext, { id, payload, webhook }: Due): Record<string, string> {
  const timestamp = Math.floor(services.nowMs() / 1_000);
  const sealed = [webhook.sealedSecret];
  const isOldGood = webhook.oldSecretUntil !== null && webhook.oldSecretUntil.getTime() > services.nowMs();
  if (isOldGood && webhook.sealedOldSecret !== null) sealed.push(webhook.sealedOldSecret);
  const secrets = sealed.map((bytes) => openText(services.registry.sealKey, bytes, secretContext(webhook.id)));
  return {
    "user-agent": `flotilla-webhooks/${services.version}`,
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": secrets.map((secret) => signWebhook(secret, { id, timestamp, payload })).join(" "),
  };
}

/** Forgets what ended long ago. */
export async function forgetDeliveries({ prisma, nowMs }: ServiceContext): Promise<void> {
  await prisma.webhookDelivery.deleteMany({ where: { endedAt: { lt: new Date(nowMs() - KEEP_MS) } } });
}
