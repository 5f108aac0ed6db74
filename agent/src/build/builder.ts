import { availableParallelism } from "node:os";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { isFlotillaError, toFlotillaError, type Logger } from "@flotilla/core";
import type { Digest } from "@flotilla/image";
import type { ArchiveWorkers } from "../archive/workers.ts";
import type { AgentConfig } from "../config.ts";
import type { Containers } from "../engine/containers-port.ts";
import type { EventBus } from "../events/bus.ts";
import { createBuildImages } from "../storage/build-images.ts";
import type { ImageService } from "../storage/image-service.ts";
import { contextOfText, receiveContext, type BuildContext } from "./build-context.ts";
import type { BuildStore } from "./build-store.ts";
import type { BuildRequest, BuildSink } from "./build-types.ts";
import type { BuilderDeps, PullBase } from "./builder-deps.ts";
import { CacheMounts } from "./cache-mounts.ts";
import { listCache, pruneCache, type CacheRecord, type PruneRequest } from "./prune-cache.ts";
import { planRequest, runBuild, type PlannedBuild } from "./run-build.ts";
import { Semaphore } from "./semaphore.ts";

export type BuilderParts = {
  config: AgentConfig;
  store: BuildStore;
  images: ImageService;
  containers: Containers;
  workers: ArchiveWorkers;
  events: EventBus;
  logger: Logger;
  nowMs: () => number;
  pullBase?: PullBase | undefined;
};

const CACHE_SHARE_OF_DISK = 0.1;
const MIN_CACHE_BYTES = 2 * 1024 ** 3;

/** Builds images from Dockerfiles. Knows nothing of the protocol by which it is asked. */
export class Builder {
  readonly #deps: BuilderDeps;
  readonly #events: EventBus;
  /** Builds under way that have an id by which they can be cancelled. */
  readonly #running = new Map<string, AbortController>();

  constructor(parts: BuilderParts) {
    this.#events = parts.events;
    this.#deps = {
      config: parts.config,
      images: createBuildImages(parts.images.store),
      rootfs: parts.images,
      containers: parts.containers,
      workers: parts.workers,
      store: parts.store,
      mounts: new CacheMounts({ directory: join(parts.config.dataDir, "build-cache"), store: parts.store }),
      slots: new Semaphore(Math.max(2, availableParallelism())),
      events: parts.events,
      logger: parts.logger.child({ part: "build" }),
      nowMs: parts.nowMs,
      pullBase: parts.pullBase,
    };
  }

  get deps(): BuilderDeps {
    return this.#deps;
  }

  /** Takes a tar in. The caller closes the context. */
  async receive(tar: AsyncIterable<Buffer>, signal: AbortSignal): Promise<BuildContext> {
    return await receiveContext(this.#deps, tar, signal);
  }

  /** A context of a Dockerfile alone. */
  async receiveText(dockerfile: string, signal: AbortSignal): Promise<BuildContext> {
    return await contextOfText(this.#deps, dockerfile, signal);
  }

  plan(request: BuildRequest, context: BuildContext): PlannedBuild {
    return planRequest(request, context);
  }

  /** Runs a planned build to its end. @param run.id by which `cancel` finds it. */
  async run(plan: PlannedBuild, run: { sink: BuildSink; signal: AbortSignal; id: string | undefined }): Promise<Digest> {
    const controller = new AbortController();
    const key = run.id === undefined ? undefined : `${plan.request.namespace}/${run.id}`;
    if (key !== undefined) this.#running.set(key, controller);
    const { putCount } = this.#deps.store;
    try {
      return await runBuild(this.#deps, plan, { sink: run.sink, signal: AbortSignal.any([run.signal, controller.signal]) });
    } finally {
      if (key !== undefined) this.#running.delete(key);
      if (this.#deps.store.putCount !== putCount) await this.#keepWithinLimit();
    }
  }

  /** Ends a build of a namespace by its id; one that is not running is cancelled already. */
  cancel(namespace: string, id: string): void {
    this.#running.get(`${namespace}/${id}`)?.abort();
  }

  prune(request: PruneRequest): { CachesDeleted: string[]; SpaceReclaimed: number } {
    const report = pruneCache(this.#deps, request);
    const attributes = { reclaimed: String(report.SpaceReclaimed) };
    this.#events.publish({ namespace: request.namespace, type: "builder", action: "prune", id: "", attributes });
    return report;
  }

  /** Rows of `docker system df -v`. */
  async list(namespace: string): Promise<CacheRecord[]> {
    return await listCache(this.#deps, namespace);
  }

  /** Start-up, after the engine's: containers of steps that were cut off go, and cache directories that nobody knows. */
  async recover(): Promise<void> {
    const { store, containers, logger, mounts, images } = this.#deps;
    for (const { name, namespace } of store.containers()) {
      try {
        await containers.remove(namespace, name, { force: true, volumes: true, link: false });
      } catch (error) {
        if (!isFlotillaError(error, "not_found")) {
          logger.error("the container of a build that was cut off could not be removed", { name, error: toFlotillaError(error).message });
          continue;
        }
      }
      store.removeContainer(name);
    }
    const unknown = mounts.unknown();
    for (const name of unknown) images.trash(join(mounts.directory, name));
  }

  /** Ends all builds. */
  close(): void {
    for (const controller of this.#running.values()) controller.abort();
  }

  async #keepWithinLimit(): Promise<void> {
    try {
      const { blocks, bsize } = await statfs(this.#deps.config.dataDir);
      const limitBytes = Math.max(MIN_CACHE_BYTES, blocks * bsize * CACHE_SHARE_OF_DISK);
      for (const { namespace, sizeBytes } of this.#deps.store.sizes()) {
        if (sizeBytes > limitBytes) pruneCache(this.#deps, { namespace, isAll: true, keepBytes: limitBytes, until: undefined });
      }
    } catch (error) {
      this.#deps.logger.warn("the build cache could not be trimmed", { error: toFlotillaError(error).message });
    }
  }
}
