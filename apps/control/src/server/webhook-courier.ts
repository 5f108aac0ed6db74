import { toFlotillaError } from "@flotilla/core";
import type { ControlDatabase } from "@flotilla/db";
import { deliverDue, forgetDeliveries, type ServiceContext } from "@flotilla/services";

/** What waits for another try is looked for so often. */
const INTERVAL_MS = 5_000;
const FORGET_EVERY_MS = 3_600_000;

/**
 * Sends messages of webhooks as they come, and again what failed. All control planes do it beside each other; each message is
 * taken by one. Returns the function that ends it.
 */
export function startWebhookCourier(database: ControlDatabase, services: ServiceContext): () => Promise<void> {
  let running: Promise<void> | undefined;
  let isWanted = false;
  const warn = (error: unknown): void => services.logger.warn("webhooks could not be sent", { error: toFlotillaError(error).message });
  const round = async (): Promise<void> => {
    while (isWanted) {
      isWanted = false;
      if ((await deliverDue(services)) > 0) isWanted = true;
    }
  };
  const wake = (): void => {
    isWanted = true;
    running ??= round()
      .catch(warn)
      .finally(() => (running = undefined));
  };
  const stop = database.listen({ channel: "flotilla_webhooks", onPayload: wake, onListening: wake, onLost: warn });
  const timers = [setInterval(wake, INTERVAL_MS), setInterval(() => void forgetDeliveries(services).catch(warn), FORGET_EVERY_MS)];
  return async () => {
    for (const timer of timers) clearInterval(timer);
    await stop();
    isWanted = false;
    await running;
  };
}
