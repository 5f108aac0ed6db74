import { type Logger, toFlotillaError } from "@flotilla/core";
import { openProbeSocket } from "../host/probe-socket.ts";
import type { ObservedPublisher } from "../state/observed-state.ts";
import { Mesh } from "./mesh.ts";

export type { Mesh } from "./mesh.ts";

export type CreateMeshDeps = {
  observed: ObservedPublisher;
  logger: Logger;
  networks: { leaveOut(unreachable: ReadonlySet<number>): Promise<void> };
};

/** The watch over this host's peers; networks leave out those that it does not reach. */
export function createMesh({ observed, logger, networks }: CreateMeshDeps): Mesh {
  const own = logger.child({ part: "mesh" });
  return new Mesh({
    observed,
    logger: own,
    openSocket: openProbeSocket,
    nowMs: () => performance.now(),
    onReach: (unreachable) => {
      networks.leaveOut(unreachable).catch((error: unknown) => {
        own.error("networks do not follow who is reached", { error: toFlotillaError(error).message });
      });
    },
  });
}
