import {
  createWebhook,
  deliveriesInput,
  deliveryRef,
  listDeliveries,
  listWebhooks,
  newWebhook,
  type ObjectRef,
  redeliver,
  removeWebhook,
  rotateWebhookSecret,
  testWebhook,
  updateWebhook,
  webhookChange,
  webhookObject,
  webhookRef,
} from "@flotilla/services";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { createRouter, ownTeam, procedure } from "../trpc.ts";

function theWebhook({ services, actor }: ApiContext, { id }: { id: string }): Promise<ObjectRef> {
  return webhookObject(services, actor, id);
}

/** Where the team is told of events. */
export const webhooksRouter = createRouter({
  list: procedure(z.void(), { action: "webhook.read", object: ownTeam }).query(({ ctx }) => listWebhooks(ctx.services, ctx.actor)),
  create: procedure(newWebhook, { action: "webhook.change", object: ownTeam }).mutation(({ ctx, input }) =>
    createWebhook(ctx.services, ctx.actor, input),
  ),
  update: procedure(webhookChange, { action: "webhook.change", object: theWebhook }).mutation(async ({ ctx, input }) => {
    await updateWebhook(ctx.services, ctx.actor, input);
    return {};
  }),
  remove: procedure(webhookRef, { action: "webhook.remove", object: theWebhook }).mutation(async ({ ctx, input }) => {
    await removeWebhook(ctx.services, ctx.actor, input.id);
    return {};
  }),
  rotate: procedure(webhookRef, { action: "webhook.change", object: theWebhook }).mutation(({ ctx, input }) =>
    rotateWebhookSecret(ctx.services, ctx.actor, input.id),
  ),
  test: procedure(webhookRef, { action: "webhook.change", object: theWebhook }).mutation(async ({ ctx, input }) => {
    await testWebhook(ctx.services, ctx.actor, input.id);
    return {};
  }),
  deliveries: procedure(deliveriesInput, { action: "webhook.read", object: theWebhook }).query(({ ctx, input }) =>
    listDeliveries(ctx.services, ctx.actor, input),
  ),
  redeliver: procedure(deliveryRef, { action: "webhook.change", object: theWebhook }).mutation(async ({ ctx, input }) => {
    await redeliver(ctx.services, ctx.actor, input);
    return {};
  }),
});
