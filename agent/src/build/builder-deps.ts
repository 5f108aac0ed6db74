import type { Logger } from "@flotilla/core";
import type { Platform } from "@flotilla/image";
import type { ArchiveWorkers } from "../archive/workers.ts";
import type { AgentConfig } from "../config.ts";
import type { Containers } from "../engine/containers-port.ts";
import type { ImageStore } from "../engine/ports.ts";
import type { EventBus } from "../events/bus.ts";
import type { BuildImages } from "../storage/build-images.ts";
import type { BuildStore } from "./build-store.ts";
import type { CacheMounts } from "./cache-mounts.ts";
import type { Semaphore } from "./semaphore.ts";

/** Brings a base image into a namespace; `progress` takes Docker's progress messages. */
export type PullBase = (request: {
  namespace: string;
  reference: string;
  platform: Platform | undefined;
  registryConfig: string | undefined;
  signal: AbortSignal;
  progress(message: Readonly<Record<string, unknown>>): Promise<void> | void;
}) => Promise<void>;

/** What the builder is made of. */
export type BuilderDeps = {
  config: Pick<AgentConfig, "dataDir" | "allowsPrivateUrls">;
  images: BuildImages;
  rootfs: ImageStore;
  containers: Containers;
  workers: ArchiveWorkers;
  store: BuildStore;
  mounts: CacheMounts;
  /** Steps that run at once, over all builds. */
  slots: Semaphore;
  events: EventBus;
  logger: Logger;
  nowMs: () => number;
  pullBase?: PullBase | undefined;
};
