import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { FlotillaError, KeyedLock, wrapError, type Logger } from "@flotilla/core";
import type { AgentConfig } from "../config.ts";
import type { VolumeMount, VolumeStore } from "../engine/ports.ts";
import type { EventBus } from "../events/bus.ts";
import { mount, unmount } from "../host/libc.ts";
import { resolveInRoot } from "../host/rooted-path.ts";
import type { Database } from "../store/database.ts";
import { copyTree, isEmptyDirectory, moveInto } from "./copy-tree.ts";
import { directorySizeBytes } from "./directory-size.ts";
import { ANONYMOUS_LABEL, checkVolumeName, newAnonymousName } from "./volume-name.ts";
import { parseVolumeOptions } from "./volume-options.ts";
import { VolumeTable, type VolumeRow } from "./volume-table.ts";

export type VolumeStoreDeps = { config: AgentConfig; db: Database; events: EventBus; logger: Logger };

/** One volume as the API shows it. */
export type VolumeView = {
  name: string;
  mountpoint: string;
  labels: Readonly<Record<string, string>>;
  options: Readonly<Record<string, string>>;
  createdAtMs: number;
  isAnonymous: boolean;
  /** Ids of the containers that have it, running or not. */
  users: string[];
};

/** The port of the engine, and what the API's volume routes need besides. */
export type Volumes = VolumeStore & {
  list(namespace: string): VolumeView[];
  /** @throws not_found `get NAME: no such volume`. */
  get(namespace: string, name: string): VolumeView;
  /** Sum of the sizes of its files, hard links once. Walks the tree. */
  sizeBytes(namespace: string, name: string): Promise<number>;
};

const DATA = "_data";
const COPY = "_copy";
const TRASH = ".trash";
const NAMESPACE = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
const ANONYMOUS_NAME = /^[0-9a-f]{64}$/;

/**
 * Volumes of the `local` driver: `dataDir/volumes/<namespace>/<name>/_data`. Finishes at once what a crash cut off. A
 * directory that no row names is left alone: it is somebody's data.
 */
export function createVolumeStore(deps: VolumeStoreDeps): Volumes {
  const store = new LocalVolumes(deps);
  store.recover();
  return store;
}

class LocalVolumes implements Volumes {
  readonly #root: string;
  readonly #table: VolumeTable;
  readonly #events: EventBus;
  readonly #logger: Logger;
  readonly #lock = new KeyedLock();

  constructor(deps: VolumeStoreDeps) {
    this.#root = join(deps.config.dataDir, "volumes");
    this.#table = new VolumeTable(deps.db);
    this.#events = deps.events;
    this.#logger = deps.logger;
  }

  recover(): void {
    mkdirSync(join(this.#root, TRASH), { recursive: true, mode: 0o711 });
    for (const volume of this.#table.all()) {
      if (volume.is_removing) this.#discard(volume);
      else this.#finishCopy(volume);
    }
    this.#emptyTrash();
  }

  async create(
    namespace: string,
    request: { name?: string; driver?: string; driverOpts?: Record<string, string>; labels?: Record<string, string>; containerId?: string },
  ): Promise<VolumeMount> {
    const isAnonymous = request.name === undefined || request.name === "";
    const name = isAnonymous ? newAnonymousName() : checkVolumeName(request.name ?? "");
    this.#checkDriver(name, request.driver);
    const options = request.driverOpts ?? {};
    this.#checkOptions(name, options);
    const path = this.#dataPath(namespace, name);
    const present = this.#table.find(namespace, name);
    if (present !== undefined) {
      const reused = this.#reuse(present, options);
      if (request.containerId !== undefined) this.acquire(namespace, name, request.containerId);
      return reused;
    }
    const labels = { ...request.labels, ...(isAnonymous ? { [ANONYMOUS_LABEL]: "" } : {}) };
    // One step: a crash between them would leave an anonymous volume that no container knows.
    this.#table.transaction(() => {
      this.#table.add({ namespace, name, labels, options, created_at_ms: Date.now() });
      this.#publish({ namespace, name }, "create");
      if (request.containerId !== undefined) this.acquire(namespace, name, request.containerId);
    });
    mkdirSync(path, { recursive: true, mode: 0o755 });
    return { name, path };
  }

  path(namespace: string, name: string): string {
    const volume = this.#row(namespace, name);
    const path = this.#dataPath(namespace, name);
    mkdirSync(path, { recursive: true, mode: 0o755 });
    this.#ensureMounted(volume, path);
    return path;
  }

  acquire(namespace: string, name: string, containerId: string): void {
    const volume = this.#row(namespace, name);
    if (this.#table.addUse(volume, containerId)) this.#ensureMounted(volume, this.#dataPath(namespace, name));
  }

  keep(namespace: string, containerId: string): void {
    this.#table.takeLabel(namespace, containerId, ANONYMOUS_LABEL);
  }

  release(namespace: string, containerId: string, options: { removesAnonymous?: boolean } = {}): string[] {
    const { unused, anonymous } = this.#table.transaction(() => {
      const released = this.#table.removeUses(namespace, containerId);
      const unused = released.filter((name) => this.#table.users(namespace, name).length === 0);
      const anonymous = unused.filter((name) => this.#isAnonymous(this.#table.find(namespace, name)));
      // In the same step: a crash here must not forget that they were to go.
      if (options.removesAnonymous === true) for (const name of anonymous) this.#table.markRemoving(namespace, name);
      return { unused, anonymous };
    });
    for (const name of unused) this.#unmountIdle(namespace, name);
    if (options.removesAnonymous !== true) return anonymous;
    for (const name of anonymous) {
      const volume = this.#table.find(namespace, name);
      if (volume === undefined) continue;
      try {
        this.#discard(volume);
        this.#publish({ namespace, name }, "destroy");
      } catch (error) {
        // Marked already: the next start tries again. The container's removal does not wait for it.
        this.#logger.warn("an anonymous volume could not be removed", { namespace, volume: name, containerId, error });
      }
    }
    this.#emptyTrash();
    return [];
  }

  remove(namespace: string, name: string, options: { force?: boolean } = {}): Promise<void> {
    return this.#lock.run(`${namespace}/${name}`, async () => {
      const volume = this.#table.find(namespace, name);
      if (volume === undefined && options.force === true) return;
      const found = this.#row(namespace, name);
      const users = this.#table.users(namespace, name);
      if (users.length > 0) throw new FlotillaError("conflict", `remove ${name}: volume is in use - [${users.join(", ")}]`);
      this.#table.markRemoving(namespace, name);
      this.#discard(found);
      this.#publish({ namespace, name }, "destroy");
      this.#emptyTrash();
    });
  }

  copyUp(namespace: string, name: string, source: { root: string; path: string }): Promise<void> {
    return this.#lock.run(`${namespace}/${name}`, async () => {
      const volume = this.#row(namespace, name);
      const from = resolveInRoot(source.root, source.path);
      const into = this.path(namespace, name);
      if (!isDirectory(from) || !isEmptyDirectory(into)) return;
      try {
        await this.#copy(volume, { from, into });
      } catch (error) {
        throw wrapError(`copy image content into volume ${name}`, error);
      }
    });
  }

  list(namespace: string): VolumeView[] {
    return this.#table.list(namespace).map((row) => this.#view(row));
  }

  get(namespace: string, name: string): VolumeView {
    return this.#view(this.#row(namespace, name));
  }

  async sizeBytes(namespace: string, name: string): Promise<number> {
    return directorySizeBytes(this.#dataPath(namespace, this.#row(namespace, name).name));
  }

  async #copy(volume: VolumeRow, paths: { from: string; into: string }): Promise<void> {
    if (parseVolumeOptions(volume.options) !== undefined) {
      // A file system of its own, gone with the last container: nothing to make whole after a crash.
      await copyTree(paths.from, paths.into);
      return;
    }
    const copy = this.#volumePath(volume.namespace, volume.name, COPY);
    this.#table.setCopyPhase(volume, "copying");
    try {
      rmSync(copy, { recursive: true, force: true });
      await copyTree(paths.from, copy);
      this.#table.setCopyPhase(volume, "moving");
      moveInto(copy, paths.into);
    } finally {
      rmSync(copy, { recursive: true, force: true });
      this.#table.setCopyPhase(volume, "none");
    }
  }

  #finishCopy(volume: VolumeRow): void {
    if (volume.copy_phase === "none") return;
    const copy = this.#volumePath(volume.namespace, volume.name, COPY);
    if (volume.copy_phase === "moving") moveInto(copy, this.#dataPath(volume.namespace, volume.name));
    rmSync(copy, { recursive: true, force: true });
    this.#table.setCopyPhase(volume, "none");
  }

  #reuse(present: VolumeRow, options: Readonly<Record<string, string>>): VolumeMount {
    const { namespace, name } = present;
    if (present.is_removing) throw new FlotillaError("conflict", `create ${name}: volume is being removed`);
    const isSame = isDeepStrictEqual(options, present.options);
    if (Object.keys(options).length > 0 && !isSame) {
      throw new FlotillaError("conflict", `create ${name}: conflict: volume name must be unique: it exists with other driver options`);
    }
    return { name, path: this.path(namespace, name) };
  }

  #checkDriver(name: string, driver: string | undefined): void {
    if (driver === undefined || driver === "" || driver === "local") return;
    throw new FlotillaError("not_found", `create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`);
  }

  #checkOptions(name: string, options: Readonly<Record<string, string>>): void {
    try {
      parseVolumeOptions(options);
    } catch (error) {
      throw wrapError(`create ${name}`, error);
    }
  }

  #ensureMounted(volume: VolumeRow, path: string): void {
    const options = parseVolumeOptions(volume.options);
    if (options === undefined) return;
    mkdirSync(path, { recursive: true, mode: 0o755 });
    if (isMountPoint(path)) return;
    mount({ source: "tmpfs", target: path, type: "tmpfs", ...options });
  }

  #unmountIdle(namespace: string, name: string): void {
    const volume = this.#table.find(namespace, name);
    if (volume !== undefined && parseVolumeOptions(volume.options) !== undefined) unmount(this.#dataPath(namespace, name));
  }

  /** Out of the way in one step, then out of the table; the bytes go when they go. */
  #discard(volume: VolumeRow): void {
    const { namespace, name } = volume;
    const path = this.#volumePath(namespace, name);
    this.#unmountIdle(namespace, name);
    if (existsSync(path)) renameSync(path, join(this.#root, TRASH, randomBytes(8).toString("hex")));
    this.#table.remove(namespace, name);
  }

  #emptyTrash(): void {
    const trash = join(this.#root, TRASH);
    for (const name of readdirSync(trash)) {
      rm(join(trash, name), { recursive: true, force: true }).catch((error: unknown) => {
        this.#logger.warn("removed volume is not deleted yet", { path: join(trash, name), error });
      });
    }
  }

  #row(namespace: string, name: string): VolumeRow {
    const volume = this.#table.find(namespace, name);
    if (volume === undefined || volume.is_removing) throw new FlotillaError("not_found", `get ${name}: no such volume`);
    return volume;
  }

  #view(row: VolumeRow): VolumeView {
    return {
      name: row.name,
      mountpoint: this.#dataPath(row.namespace, row.name),
      labels: row.labels,
      options: row.options,
      createdAtMs: row.created_at_ms,
      isAnonymous: this.#isAnonymous(row),
      users: this.#table.users(row.namespace, row.name),
    };
  }

  #isAnonymous(row: VolumeRow | undefined): boolean {
    return row !== undefined && Object.hasOwn(row.labels, ANONYMOUS_LABEL) && ANONYMOUS_NAME.test(row.name);
  }

  #dataPath(namespace: string, name: string): string {
    return this.#volumePath(namespace, name, DATA);
  }

  #volumePath(namespace: string, name: string, ...rest: string[]): string {
    if (!NAMESPACE.test(namespace)) throw new FlotillaError("invalid", `invalid namespace: ${JSON.stringify(namespace)}`);
    return join(this.#root, namespace, checkVolumeName(name), ...rest);
  }

  #publish(volume: { namespace: string; name: string }, action: string): void {
    const { namespace, name } = volume;
    this.#events.publish({ namespace, type: "volume", action, id: name, attributes: { driver: "local" } });
  }
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Another device than its parent's: `_data` is never a bind of its own parent. */
function isMountPoint(path: string): boolean {
  return lstatSync(path).dev !== lstatSync(join(path, "..")).dev;
}
