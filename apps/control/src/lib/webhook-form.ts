import type { RouterOutputs } from "@flotilla/api";

export type WebhookRow = RouterOutputs["webhooks"]["list"][number];
export type Delivery = RouterOutputs["webhooks"]["deliveries"]["items"][number];

/** Events that are chosen by a box; any other is written. */
export const WEBHOOK_EVENTS = ["deployment.finished", "deployment.failed", "host.down", "host.up", "container.died", "audit.*"] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** What is typed when a webhook is made or changed. `others` are further events, in words. */
export type WebhookForm = { name: string; url: string; events: readonly WebhookEvent[]; others: string; allowsPrivate: boolean };
export type WebhookField = "name" | "url" | "events";
export type WebhookInput = { name: string; url: string; events: string[]; allowsPrivate: boolean };

export function toWebhookForm(row: WebhookRow | null): WebhookForm {
  if (row === null) return { name: "", url: "https://", events: ["deployment.failed", "host.down"], others: "", allowsPrivate: false };
  const { name, url, allowsPrivate } = row;
  const events = WEBHOOK_EVENTS.filter((event) => row.events.includes(event));
  return { name, url, events, others: row.events.filter((event) => !events.some((known) => known === event)).join(" "), allowsPrivate };
}

/** What is sent, or what is wrong: the server says the same, and more. */
export function readWebhookForm(form: WebhookForm): { input: WebhookInput } | { wrong: WebhookField } {
  const name = form.name.trim();
  const url = form.url.trim();
  const others = form.others.split(/[\s,]+/).filter((word) => word !== "");
  if (name === "") return { wrong: "name" };
  if (!isUrl(url, form.allowsPrivate)) return { wrong: "url" };
  const events = [...new Set([...form.events, ...others])];
  if (events.length === 0 || others.some((event) => !/^[a-z][A-Za-z]*(\.[A-Za-z]+){0,2}(\.\*)?$/.test(event))) return { wrong: "events" };
  return { input: { name, url, events, allowsPrivate: form.allowsPrivate } };
}

function isUrl(text: string, allowsPlain: boolean): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hostname } = new URL(text);
  const isKnown = protocol === "https:" || (allowsPlain && protocol === "http:");
  return isKnown && username === "" && password === "" && hostname !== "";
}

/** How a delivery stands: `retrying` waits after a failure, `waiting` was not tried yet. */
export function deliveryState({ state, attempts }: Pick<Delivery, "state" | "attempts">): "delivered" | "failed" | "retrying" | "waiting" {
  if (state === "delivered" || state === "failed") return state;
  return attempts > 0 ? "retrying" : "waiting";
}

/** A text as indented JSON when it is JSON, else as it came. */
export function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
