import { toFlotillaError } from "@flotilla/core";
import type { ServiceContext } from "../context.ts";
import type { DiedContainer } from "../live/live-feed.ts";
import { enqueueEvent } from "./events.ts";

/** Tells webhooks that a container ended. Deaths that nobody was connected to see are not told. */
export function noteDeath(services: ServiceContext, { teamId, ...data }: DiedContainer): void {
  enqueueEvent(services.prisma, { teamId, type: "container.died", data }).catch((error: unknown) => {
    services.logger.warn("the end of a container could not be told to webhooks", { error: toFlotillaError(error).message });
  });
}
