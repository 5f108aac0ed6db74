import { toFlotillaError } from "@flotilla/core";
import type { ServiceContext } from "../context.ts";
import type { LiveHost } from "../live/live-feed.ts";
import { enqueueEvent } from "./events.ts";

/** Tells webhooks that a container ended. Deaths that nobody was connected to see are not told. */
export function noteDeath(
  services: ServiceContext,
  host: LiveHost,
  died: { id: string; name: string; image: string; exitCode: number },
): void {
  const event = { teamId: host.teamId, type: "container.died", data: { host: host.name, ...died } } as const;
  enqueueEvent(services.prisma, event).catch((error: unknown) => {
    services.logger.warn("the end of a container could not be told to webhooks", { error: toFlotillaError(error).message });
  });
}
