import { randomUUID } from "node:crypto";
import type { PrismaClient, Transaction } from "@flotilla/db";
import type { ServiceContext } from "../context.ts";

/** Events beside those of the audit (`audit.<action>`). */
export type WebhookEventType = "deployment.finished" | "deployment.failed" | "host.down" | "host.up" | "container.died" | "webhook.test";

export type WebhookEvent = { teamId: string; type: WebhookEventType; data: Readonly<Record<string, string | number | null>> };

/** Makes a delivery for each webhook of the team that wants it; within a transaction with what happened. */
export async function enqueueEvent(db: PrismaClient | Transaction, { teamId, type, data }: WebhookEvent): Promise<void> {
  await db.$executeRaw`SELECT webhook_enqueue(${teamId}, ${type}, ${JSON.stringify(data)}::jsonb)`;
}

/** A message for one webhook, with an id of the form that webhook_enqueue makes: later ones are greater. */
export async function enqueueTest({ prisma, nowMs }: ServiceContext, webhook: { id: string; name: string }): Promise<void> {
  const now = nowMs();
  const id = `msg_${now.toString(16).padStart(12, "0")}${randomUUID().replaceAll("-", "")}`;
  const type = "webhook.test";
  const payload = JSON.stringify({ type, timestamp: new Date(now).toISOString(), data: { webhook: webhook.name } });
  await prisma.$transaction(async (tx) => {
    await tx.webhookDelivery.create({ data: { id, webhookId: webhook.id, type, payload } });
    await tx.$executeRaw`SELECT pg_notify('flotilla_webhooks', '')`;
  });
}

/** What a webhook's secrets are sealed for. */
export function secretContext(id: string): string {
  return `webhook ${id}`;
}
