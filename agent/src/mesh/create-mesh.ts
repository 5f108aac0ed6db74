import { type Logger, toFlotillaError } from "@flotilla/core";
import { DEFAULT_VXLAN_PORT } from "@flotilla/protocol";
import { hasTable } from "../host/nft-presence.ts";
import { openNft } from "../host/nft.ts";
import { openProbeSocket } from "../host/probe-socket.ts";
import type { ObservedPublisher } from "../state/observed-state.ts";
import { Mesh } from "./mesh.ts";
import { formatProbeTable, formatProbeTableRemoval, probeTable } from "./probe-table.ts";

export type { Mesh } from "./mesh.ts";

export type CreateMeshDeps = {
  observed: ObservedPublisher;
  logger: Logger;
  networks: { leaveOut(unreachable: ReadonlySet<number>): Promise<void> };
  instance: string;
};

/** The watch over this host's peers; networks leave out those that it does not reach. Closing it takes its table away. */
export function createMesh({ observed, logger, networks, instance }: CreateMeshDeps): { mesh: Mesh; close: () => Promise<void> } {
  const own = logger.child({ part: "mesh" });
  const nft = openNft();
  /** The port that the table leads to. */
  let loaded: number | undefined;
  const takeEnvelopes = async (probePort: number): Promise<number | undefined> => {
    try {
      if (loaded !== probePort || !hasTable(probeTable(instance)))
        await nft.apply(formatProbeTable(instance, { vxlanPort: DEFAULT_VXLAN_PORT, probePort }));
      loaded = probePort;
      return DEFAULT_VXLAN_PORT;
    } catch (error) {
      own.warn("whether the port of VXLAN is open cannot be probed", { error: toFlotillaError(error).message });
      return undefined;
    }
  };
  const mesh = new Mesh({
    observed,
    logger: own,
    openSocket: openProbeSocket,
    takeEnvelopes,
    nowMs: () => performance.now(),
    onReach: (unreachable) => {
      networks.leaveOut(unreachable).catch((error: unknown) => {
        own.error("networks do not follow who is reached", { error: toFlotillaError(error).message });
      });
    },
  });
  return {
    mesh,
    close: async () => {
      mesh.close();
      if (loaded !== undefined) await nft.apply(formatProbeTableRemoval(instance));
      nft.close();
    },
  };
}
