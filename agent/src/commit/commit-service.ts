import { FlotillaError, type Logger } from "@flotilla/core";
import { ContainerConfig } from "@flotilla/engine-api";
import {
  applyChanges,
  formatFamiliar,
  parseReference,
  withDefaultTag,
  type Digest,
  type ImageConfig,
  type Reference,
} from "@flotilla/image";
import { z } from "zod";
import type { ContainerView, Containers } from "../engine/containers-port.ts";
import { mergeImageConfig } from "../engine/merge-image-config.ts";
import type { EventBus } from "../events/bus.ts";
import { commitLayer, type CommittedLayer } from "../storage/commit-layer.ts";
import type { ImageRecord } from "../storage/image-records.ts";
import type { ImageService } from "../storage/image-service.ts";
import type { Lease } from "../storage/leases.ts";
import { toRunConfig } from "../storage/run-config.ts";
import type { Database, Migration } from "../store/database.ts";

export type CommitRequest = {
  namespace: string;
  /** Name, id or prefix of a container. */
  container: string;
  /** "" makes an image without a name. */
  repository: string;
  tag: string;
  author: string;
  comment: string;
  /** Freeze the container meanwhile. */
  pauses: boolean;
  /** Dockerfile instructions. */
  changes: readonly string[];
  /** Instead of the container's own configuration where it says something. */
  config: ContainerConfig;
  signal: AbortSignal;
};

export type CommitDeps = {
  containers: Pick<Containers, "get" | "pause" | "unpause" | "views">;
  images: Pick<ImageService, "store">;
  events: EventBus;
  db: Database;
  logger: Logger;
};

/** Containers that a commit has paused: a killed agent must not leave them frozen. */
const MIGRATION: Migration = { module: "commit", steps: ["CREATE TABLE commit_pauses (container_id TEXT PRIMARY KEY) STRICT"] };

/** The hash of a tar without entries: a container that changed nothing makes no layer, as in Docker. */
const EMPTY_TAR = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

/** `docker commit`. */
export class CommitService {
  readonly #deps: CommitDeps;

  constructor(deps: CommitDeps) {
    this.#deps = deps;
    deps.db.migrate(MIGRATION);
  }

  /** @throws FlotillaError `not_found`, `invalid` (`max depth exceeded`, a change that is none), in Docker's words. */
  async commit(request: CommitRequest): Promise<ImageRecord> {
    const { containers, events } = this.#deps;
    // Whatever is wrong with the words is said before a container is paused.
    const name = imageName(request);
    const container = containers.get(request.namespace, request.container);
    const config = imageConfig(container, request);
    const pauses = request.pauses && container.status === "running";
    const record = await this.#whilePaused(container, pauses, () => this.#makeImage({ request, container, config, name }));
    const reference = name === undefined ? "" : formatFamiliar(name);
    const attributes = { ...container.labels, comment: request.comment, image: container.image, imageID: record.id, imageRef: reference };
    const event = { namespace: container.namespace, type: "container", action: "commit", id: container.id } as const;
    events.publish({ ...event, attributes: { ...attributes, name: container.name } });
    return record;
  }

  /** Start-up, after the engine's: thaws what a killed agent had frozen. */
  async recover(): Promise<void> {
    const { db, containers } = this.#deps;
    for (const row of db.all("SELECT container_id FROM commit_pauses")) {
      const id = z.string().parse(row["container_id"]);
      const view = containers.views().find((candidate) => candidate.id === id);
      if (view?.status === "paused") await this.#thaw(view);
      else db.run("DELETE FROM commit_pauses WHERE container_id = ?", id);
    }
  }

  async #whilePaused<T>(container: ContainerView, pauses: boolean, work: () => Promise<T>): Promise<T> {
    if (!pauses) return work();
    const { containers, db } = this.#deps;
    db.run("INSERT INTO commit_pauses (container_id) VALUES (?) ON CONFLICT DO NOTHING", container.id);
    try {
      await containers.pause(container.namespace, container.id);
      return await work();
    } finally {
      await this.#thaw(container);
    }
  }

  async #thaw(container: ContainerView): Promise<void> {
    const { containers, db, logger } = this.#deps;
    try {
      await containers.unpause(container.namespace, container.id);
    } catch (error) {
      // Killed or thawed by somebody else meanwhile.
      logger.warn("cannot unpause a container after its commit", { container: container.id, error });
    }
    db.run("DELETE FROM commit_pauses WHERE container_id = ?", container.id);
  }

  async #makeImage(from: {
    request: CommitRequest;
    container: ContainerView;
    config: ImageConfig["config"];
    name: Reference | undefined;
  }): Promise<ImageRecord> {
    const { request, container, config, name } = from;
    const { store } = this.#deps.images;
    const lease = store.leases.open();
    try {
      const base = store.records.find(container.namespace, store.records.resolve(container.namespace, container.imageId).record.id);
      if (base === undefined) throw new FlotillaError("not_found", `No such image: ${container.imageId}`);
      const below = store.records.layers(base);
      for (const layer of below) {
        lease.add(layer.chainId);
        lease.add(layer.blob.digest);
      }
      const layer = await this.#commitUpper(container, { lease, signal: request.signal });
      const configText = JSON.stringify(describeImage({ base, layer, request, container, config, nowMs: store.nowMs() }));
      const layers = below.map(({ chainId, blob }) => ({ chainId, blobDigest: blob.digest }));
      const record = store.records.add({
        namespace: container.namespace,
        configText,
        layers: layer === undefined ? layers : [...layers, layer],
      });
      if (name === undefined) return record;
      store.records.setName(record, name);
      store.publish("tag", record, formatFamiliar(name));
      return record;
    } finally {
      lease.release();
      store.collector.collect();
    }
  }

  async #commitUpper(container: ContainerView, hold: { lease: Lease; signal: AbortSignal }): Promise<CommittedLayer | undefined> {
    const { store } = this.#deps.images;
    const directory = store.snapshots.upperPath(container.id);
    const parent: Digest | null = store.snapshots.get(container.id).chain_id;
    const layer = await commitLayer(store, { directory, parent, mode: "copy", ...hold });
    return layer.diffId === EMPTY_TAR ? undefined : layer;
  }
}

function imageName({ repository, tag }: CommitRequest): Reference | undefined {
  if (repository === "") return undefined;
  const name = withDefaultTag(parseReference(tag === "" ? repository : `${repository}:${tag}`));
  if (name.digest !== undefined) throw new FlotillaError("invalid", "cannot commit to digest reference");
  return name;
}

/** Changes on top of what the caller gave, on top of what the container has. */
function imageConfig(container: ContainerView, request: CommitRequest): ImageConfig["config"] {
  const changed = applyChanges(request.config, request.changes);
  const own = ContainerConfig.parse({ ...request.config, ...changed });
  const merged = mergeImageConfig(own, toRunConfig(container));
  const { User, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, Shell, Healthcheck, OnBuild, ExposedPorts } = merged;
  return { User, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, Shell, Healthcheck, OnBuild, ExposedPorts };
}

type Description = {
  base: ImageRecord;
  layer: CommittedLayer | undefined;
  request: CommitRequest;
  container: ContainerView;
  config: ImageConfig["config"];
  nowMs: number;
};

function describeImage({ base, layer, request, container, config, nowMs }: Description): ImageConfig & { container: string } {
  const created = new Date(nowMs).toISOString();
  const { author, comment } = request;
  const entry = { created, created_by: (container.config.Cmd ?? []).join(" "), author, comment };
  const { architecture, os, variant, rootfs, history } = base.config;
  return {
    architecture,
    os,
    ...(variant == null ? {} : { variant }),
    author,
    comment,
    config,
    container: container.id,
    created,
    rootfs: { type: "layers", diff_ids: layer === undefined ? rootfs.diff_ids : [...rootfs.diff_ids, layer.diffId] },
    history: [...(history ?? []), layer === undefined ? { ...entry, empty_layer: true } : entry],
  };
}
