import { join } from "node:path";
import type { Logger } from "@flotilla/core";
import { REPLICA_KIND, STACK_FILE_KIND } from "@flotilla/protocol";
import type { AgentConfig } from "../config.ts";
import type { Distribution } from "../distribution/create-distribution.ts";
import type { Containers } from "../engine/containers-port.ts";
import type { ImageStore, NetworkManager } from "../engine/ports.ts";
import type { EventBus } from "../events/bus.ts";
import type { HostState } from "../state/serve-state.ts";
import { realTimer } from "../state/timer.ts";
import type { Database } from "../store/database.ts";
import { replicaEngine } from "./engine-port.ts";
import { reportHostUse } from "./host-use.ts";
import { readLastLines } from "./last-lines.ts";
import { ReplicaFiles } from "./replica-files.ts";
import { ReplicaManager } from "./replica-manager.ts";
import { ReplicaMemories } from "./replica-memory.ts";

export type ReplicaParts = {
  config: AgentConfig;
  db: Database;
  events: EventBus;
  logger: Logger;
  state: HostState;
  containers: Containers;
  images: ImageStore & { store: { records: { newestNames: (limit: number) => { namespace: string; name: string }[] } } };
  networks: Pick<NetworkManager, "resolve">;
  distribution: Distribution;
};

/**
 * Makes the part that looks after this host's replicas and registers it for its kinds of desired state; tells what a scheduler has to
 * know of the host beside them.
 */
export function startReplicas(parts: ReplicaParts): { close(): Promise<void> } {
  const { config, db, events, logger, state, containers, images } = parts;
  const manager = new ReplicaManager({
    engine: replicaEngine(parts),
    files: new ReplicaFiles(join(config.runDir, "replicas")),
    memories: new ReplicaMemories(db),
    observed: state.observed,
    events,
    lastLines: (logPath) => readLastLines(logPath),
    silentSinceMs: () => state.observed.silentSinceMs(),
    timer: realTimer,
    nowMs: Date.now,
    logger: logger.child({ part: "replicas" }),
  });
  // Together: a replica never comes without its files.
  state.desired.register([REPLICA_KIND, STACK_FILE_KIND], manager);
  const stopTelling = reportHostUse({
    views: () => containers.views(),
    images: (limit) => images.store.records.newestNames(limit),
    events,
    observed: state.observed,
    timer: realTimer,
  });
  return {
    close: async () => {
      stopTelling();
      await manager.close();
    },
  };
}
