import { z } from "zod";
import { nothing, route, time } from "../route.ts";

const WEBHOOK = "/webhooks/{id}";
const webhook = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  isEnabled: z.boolean(),
  allowsPrivate: z.boolean(),
  createdAt: time,
});
const delivery = z.object({
  id: z.string(),
  type: z.string(),
  state: z.string(),
  attempts: z.number(),
  createdAt: time,
  nextAt: time.nullable(),
  endedAt: time.nullable(),
  status: z.number().nullable(),
  error: z.string().nullable(),
  answer: z.string().nullable(),
  payload: z.string(),
});

export const WEBHOOK_ROUTES = [
  route("webhooks.list", {
    method: "GET",
    path: "/webhooks",
    summary: "Where the team is told of events",
    output: z.array(webhook),
    list: (item) => item.id,
  }),
  route("webhooks.create", {
    method: "POST",
    path: "/webhooks",
    summary: "Make a webhook; its secret is answered once",
    output: z.object({ id: z.string(), secret: z.string() }),
    isCreation: true,
  }),
  route("webhooks.update", { method: "PATCH", path: WEBHOOK, summary: "Change a webhook", output: nothing }),
  route("webhooks.remove", { method: "DELETE", path: WEBHOOK, summary: "Remove a webhook", output: nothing }),
  route("webhooks.rotate", {
    method: "POST",
    path: `${WEBHOOK}/rotate`,
    summary: "A new secret, answered once; the one before is used too for a day",
    output: z.object({ secret: z.string() }),
  }),
  route("webhooks.test", { method: "POST", path: `${WEBHOOK}/test`, summary: "Send `webhook.test`", output: nothing }),
  route("webhooks.deliveries", {
    method: "GET",
    path: `${WEBHOOK}/deliveries`,
    summary: "What was sent, newest first",
    output: z.object({ items: z.array(delivery), nextCursor: z.string().nullable() }),
    list: "own",
  }),
  route("webhooks.redeliver", {
    method: "POST",
    path: `${WEBHOOK}/deliveries/{deliveryId}/redeliver`,
    summary: "Send a message once more, with its id",
    output: nothing,
  }),
] as const;
