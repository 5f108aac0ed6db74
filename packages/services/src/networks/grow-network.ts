import { FlotillaError } from "@flotilla/core";
import type { Transaction } from "@flotilla/db";
import type { ServiceContext } from "../context.ts";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { nextBlock } from "./plan-leases.ts";

export type NetworkGrowth = { teamId: string; networkId: string; hostId: string; /** As many as it had when it asked. */ blocks: number };

/**
 * Leases a host that has nothing free one more block: a host that starts many containers at once is not made to wait for its reports. Under
 * the team's lock. To be asked twice is to be asked once. @throws not_found; exhausted when the network has no block left.
 */
export async function growNetworkIn(tx: Transaction, services: ServiceContext, growth: NetworkGrowth): Promise<void> {
  const { teamId, networkId, hostId, blocks } = growth;
  const network = await tx.overlayNetwork.findFirst({ where: { id: networkId, teamId }, include: { leases: true } });
  if (network === null) throw new FlotillaError("not_found", `network ${networkId.slice(0, 12)} not found`);
  const held = network.leases.filter(
    ({ kind, hostId: holder, releasedAt }) => kind === "block" && holder === hostId && releasedAt === null,
  );
  if (held.length > blocks) return;
  const cidr = nextBlock(network);
  if (cidr === undefined)
    throw new FlotillaError("exhausted", `no block of addresses is left on network ${network.name} (${network.subnet})`);
  await tx.overlayLease.create({ data: { networkId, hostId, kind: "block", cidr, leasedAt: new Date(services.nowMs()) } });
  await notifyHostState(tx, { teamId });
}
