import type { Actor, LiveFeed, ServiceContext, Terminals } from "@flotilla/services";

import type { SocketStreams } from "./socket-streams.ts";

/** What every procedure gets: who asks, what it works with, and on a socket how its subscriptions are bounded. */
export type ApiContext = {
  services: ServiceContext;
  actor: Actor;
  terminals: Terminals;
  live: LiveFeed;
  streams?: SocketStreams | undefined;
};
