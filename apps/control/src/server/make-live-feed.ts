import { type HostLinks, LiveFeed, type LiveHost, noteDeath, type ServiceContext } from "@flotilla/services";

/** The events of hosts that are connected here, for pages and webhooks. */
export function makeLiveFeed(services: ServiceContext, links: HostLinks): LiveFeed {
  return new LiveFeed({
    links,
    logger: services.logger,
    findHost: (hostId) => findLiveHost(services, hostId),
    onDied: (died) => noteDeath(services, died),
  });
}

async function findLiveHost(services: ServiceContext, hostId: string): Promise<LiveHost | undefined> {
  const include = { team: true, grants: { include: { team: true } } } as const;
  const host = await services.prisma.host.findUnique({ where: { id: hostId }, include });
  if (host === null) return undefined;
  const teams = [host.team, ...host.grants.map(({ team }) => team)];
  return { id: host.id, name: host.name, audiences: teams.map(({ id, namespace }) => ({ teamId: id, namespace })) };
}
