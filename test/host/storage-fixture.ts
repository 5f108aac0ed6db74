import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { silentLogger } from "@flotilla/core";
import { pack, type Header } from "tar-stream";
import { makeArchiveWorkers, type ArchiveWorkers } from "../../agent/src/archive/workers.ts";
import { EventBus } from "../../agent/src/events/bus.ts";
import type { ImageUse } from "../../agent/src/storage/context.ts";
import { createImageStore } from "../../agent/src/storage/create-image-store.ts";
import type { ImageService } from "../../agent/src/storage/image-service.ts";
import { Database } from "../../agent/src/store/database.ts";
import { COMPILE_CACHE_CONFIG } from "../support/compile-cache.ts";

export type Storage = {
  dataDir: string;
  db: Database;
  events: EventBus;
  images: ImageService;
  workers: ArchiveWorkers;
  /** Containers by image id, as the engine would say. */
  uses: Map<string, ImageUse[]>;
  /** A second store on the same files, as after a kill: nothing is closed first. */
  reopen(): Promise<ImageService>;
};

/** Runs a test on a store of its own and leaves nothing behind. */
export async function withStorage(work: (storage: Storage) => Promise<void>, directory?: string): Promise<void> {
  const dataDir = directory ?? mkdtempSync(join(tmpdir(), "flotilla-storage-"));
  const db = new Database(join(dataDir, "agent.db"));
  const events = new EventBus();
  const uses = new Map<string, ImageUse[]>();
  const workers = makeArchiveWorkers(COMPILE_CACHE_CONFIG);
  const opened: ImageService[] = [];
  const reopen = async (): Promise<ImageService> => {
    const names = { runDir: dataDir, socketPath: join(dataDir, "engine.sock"), instance: "storage0" };
    const config = { dataDir, ...names, ...COMPILE_CACHE_CONFIG, logLevel: "error" } as const;
    const images = createImageStore({ config, db, events, logger: silentLogger, workers, usage: (_, id) => uses.get(id) ?? [] });
    opened.push(images);
    await images.recover();
    return images;
  };
  try {
    const images = await reopen();
    await work({ dataDir, db, events, images, workers, uses, reopen });
  } finally {
    for (const images of opened) {
      for (const containerId of images.listRootfs()) await images.removeRootfs(containerId);
      await images.close();
    }
    db.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export type Entry = Partial<Header> & { name: string; content?: string | Buffer };

/** A tar by another implementation than ours. */
export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of entries) {
    const isFile = header.type === undefined || header.type === "file";
    if (isFile) tar.entry(header, content ?? "");
    else tar.entry(header);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export function streamOf(...buffers: Buffer[]): Readable {
  return Readable.from(buffers, { objectMode: false });
}

export async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export type ArchiveRecipe = {
  /** Tars, lowest first; as they are put into the archive. */
  layers: readonly Buffer[];
  tags: readonly string[];
  /** Replaces what is right, for archives that are wrong. */
  diffIds?: readonly string[];
  config?: Record<string, unknown>;
  /** Hashed instead of the stored layers, when those are compressed. */
  plainLayers?: readonly Buffer[];
};

/** A `docker save` archive of one image, in the form older Docker versions write. */
export async function dockerArchive(recipe: ArchiveRecipe): Promise<Buffer> {
  const diffIds = recipe.diffIds ?? (recipe.plainLayers ?? recipe.layers).map((layer) => `sha256:${sha256(layer)}`);
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: diffIds },
    ...recipe.config,
  });
  const configName = `${sha256(Buffer.from(config))}.json`;
  const layerNames = recipe.layers.map((layer, index) => `${index}-${sha256(layer).slice(0, 12)}/layer.tar`);
  const manifest = [{ Config: configName, RepoTags: recipe.tags, Layers: layerNames }];
  return tarOf([
    { name: configName, content: config },
    ...recipe.layers.map((content, index) => ({ name: layerNames[index]!, content })),
    { name: "manifest.json", content: JSON.stringify(manifest) },
  ]);
}

export function sha256(data: Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
