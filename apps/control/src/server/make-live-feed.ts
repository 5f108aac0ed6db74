import { type HostLinks, LiveFeed, type LiveHost, noteDeath, type ServiceContext } from "@flotilla/services";

type Sources = { services: ServiceContext; hosts: HostLinks; hub: Pick<HostLinks, "state"> };

/** The events of hosts, for pages; of those that are connected to this very control plane (`hub`) also for webhooks, so that one tells. */
export function makeLiveFeed({ services, hosts, hub }: Sources): LiveFeed {
  return new LiveFeed({
    links: hosts,
    logger: services.logger,
    findHost: (hostId) => findLiveHost(services, hostId),
    onDied: (died) => (hub.state(died.hostId).isOnline ? noteDeath(services, died) : undefined),
  });
}

async function findLiveHost(services: ServiceContext, hostId: string): Promise<LiveHost | undefined> {
  const include = { team: true, grants: { include: { team: true } } } as const;
  const host = await services.prisma.host.findUnique({ where: { id: hostId }, include });
  if (host === null) return undefined;
  const teams = [host.team, ...host.grants.map(({ team }) => team)];
  return { id: host.id, name: host.name, audiences: teams.map(({ id, namespace }) => ({ teamId: id, namespace })) };
}
