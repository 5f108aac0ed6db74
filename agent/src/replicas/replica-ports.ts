// What the replicas of this host need of the engine. Joined in main.ts; tests use fakes.
import type { ContainerCreateBody } from "@flotilla/engine-api";
import type { Logger } from "@flotilla/core";
import type { ContainerView } from "../engine/containers-port.ts";
import type { EventBus } from "../events/bus.ts";
import type { ObservedPublisher, ObservedState } from "../state/observed-state.ts";
import type { Timer } from "../state/timer.ts";
import type { ReplicaFiles } from "./replica-files.ts";
import type { ReplicaMemories } from "./replica-memory.ts";

export type ReplicaEngine = {
  /** The containers of replicas, or of one. */
  ofReplicas(id?: string): ContainerView[];
  /** A container of a namespace by its whole id. */
  find(namespace: string, id: string): ContainerView | undefined;
  create(request: { namespace: string; name: string; body: ContainerCreateBody; ownSources: readonly string[] }): Promise<{ Id: string }>;
  /** Makes a container that is there a replica's: with these labels, and no restarts but this host's own. Whether it runs does not change. */
  adopt(namespace: string, id: string, labels: Readonly<Record<string, string>>): Promise<void>;
  start(namespace: string, id: string): Promise<void>;
  stop(namespace: string, id: string): Promise<void>;
  /** With its anonymous volumes, running or not. */
  remove(namespace: string, id: string): Promise<void>;
  hasNetwork(namespace: string, name: string): boolean;
  hasImage(namespace: string, image: string): boolean;
  /** @param progress the part that is there, 0 to 1. */
  pull(request: { namespace: string; image: string; signal: AbortSignal; progress: (part: number) => void }): Promise<void>;
};

export type ReplicaDeps = {
  engine: ReplicaEngine;
  files: Pick<ReplicaFiles, "pathOf" | "prepare" | "remove" | "ids">;
  memories: Pick<ReplicaMemories, "get" | "set" | "forget" | "ids">;
  observed: ObservedPublisher & Pick<ObservedState, "gather" | "flush">;
  events: Pick<EventBus, "subscribe">;
  /** The last lines of a container's log. */
  lastLines: (logPath: string) => Promise<string[]>;
  /** Since when no control plane is connected; undefined while one is. */
  silentSinceMs: () => number | undefined;
  timer: Timer;
  nowMs: () => number;
  logger: Logger;
};
