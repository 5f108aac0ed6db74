import type { ControlDatabase } from "@flotilla/db";
import { type LiveFeed, type ServiceContext, STACK_NEWS_CHANNEL, STACKS_CHANNEL } from "@flotilla/services";
import type { StateStreams } from "./agent-hub/state-streams.ts";
import { StackUpkeep } from "./stack-upkeep.ts";

/**
 * Looks after stacks, and hears from all control planes on this database that there is something to do, and that pages have something to show.
 * Returns the function that ends it.
 */
export function listenForStacks(
  database: ControlDatabase,
  { services, live, states }: { services: ServiceContext; live: LiveFeed; states: StateStreams },
): () => Promise<void> {
  const upkeep = new StackUpkeep(services);
  states.beforeTeam = (teamId) => upkeep.settled(teamId);
  const stop = database.listen({
    channel: STACKS_CHANNEL,
    onPayload: (teamId) => upkeep.wake(teamId),
    onListening: () => void upkeep.wakeAll(),
    onLost: (error) => services.logger.warn("notifications of stacks were lost for a moment", { error: error.message }),
  });
  const stopNews = database.listen({
    channel: STACK_NEWS_CHANNEL,
    onPayload: (teamId) => live.publish(teamId, { kind: "stack", action: "changed" }),
    // What was said while nobody listened may have been of any team.
    onListening: () => live.publish("", { kind: "stack", action: "changed" }),
    onLost: (error) => services.logger.warn("news of stacks were lost for a moment", { error: error.message }),
  });
  return async () => {
    await stopNews();
    await stop();
    await upkeep.close();
  };
}
