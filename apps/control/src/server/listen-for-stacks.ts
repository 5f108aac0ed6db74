import type { ControlDatabase } from "@flotilla/db";
import { type ServiceContext, STACKS_CHANNEL } from "@flotilla/services";
import { StackUpkeep } from "./stack-upkeep.ts";

/** Looks after stacks, and hears from all control planes on this database that there is something to do. Returns the function that ends it. */
export function listenForStacks(database: ControlDatabase, services: ServiceContext): () => Promise<void> {
  const upkeep = new StackUpkeep(services);
  const stop = database.listen({
    channel: STACKS_CHANNEL,
    onPayload: (teamId) => upkeep.wake(teamId),
    onListening: () => void upkeep.wakeAll(),
    onLost: (error) => services.logger.warn("notifications of stacks were lost for a moment", { error: error.message }),
  });
  return async () => {
    await stop();
    await upkeep.close();
  };
}
