import { FlotillaError } from "@flotilla/core";
import type { Transaction } from "@flotilla/db";
import type { ServiceContext } from "../context.ts";
import { notifyHostState } from "../host-state/notify-host-state.ts";
import { nextHostBlock } from "./plan-leases.ts";

export type NetworkGrowth = { teamId: string; networkId: string; hostId: string; /** As many as it had when it asked. */ blocks: number };

/** Whatever a host says that it has. */
const MOST_AT_ONCE = 4;

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
  const leasedAt = new Date(services.nowMs());
  // More than one when another was taken back meanwhile: the host waits for more than it had.
  for (let count = held.length; count <= Math.min(blocks, held.length + MOST_AT_ONCE - 1); count += 1) {
    const cidr = nextHostBlock(network);
    if (cidr === undefined)
      throw new FlotillaError("exhausted", `no block of addresses is left on network ${network.name} (${network.subnet})`);
    network.leases.push(await tx.overlayLease.create({ data: { networkId, hostId, kind: "block", cidr, leasedAt } }));
  }
  await notifyHostState(tx, { teamId });
}
