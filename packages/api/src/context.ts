import type { Actor, LiveFeed, ServiceContext, Terminals } from "@flotilla/services";

/** What every procedure gets: who asks, and what it works with. */
export type ApiContext = { services: ServiceContext; actor: Actor; terminals: Terminals; live: LiveFeed };
