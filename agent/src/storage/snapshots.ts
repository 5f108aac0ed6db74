// The root file system of a container: an overlayfs of the image's layers and one writable directory.
//
// On disk `rootfs/CONTAINER/{upper,work,merged}`; in the kernel, while mounted, one overlay mount on `merged`. Lower
// directories are named through /proc/self/fd of an open directory (`/proc/self/fd/21/2x`, at most 25 bytes), because
// all options of mount(2) share one page and 127 absolute paths do not fit. redirect_dir, metacopy and index stay off:
// then the upper directory alone says what changed, and layers stay usable by anything that knows overlayfs.
import { chmodSync, chownSync, closeSync, constants, existsSync, mkdirSync, openSync, rmSync, statSync, type Stats } from "node:fs";
import { mkdtemp, readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { FlotillaError, KeyedLock } from "@flotilla/core";
import type { Digest } from "@flotilla/image";
import { MS, mount, syncFileSystem, unmountInBackground } from "../host/libc.ts";
import type { Database } from "../store/database.ts";
import type { Layers } from "./layers.ts";
import { rootfsRowSchema, type RootfsRow } from "./schema.ts";
import { toStorageError } from "./storage-error.ts";
import { layerName, type StorePaths } from "./store-paths.ts";
import type { Trash } from "./trash.ts";

const OVERLAY_FLAGS = "index=off,redirect_dir=off,metacopy=off";
/** Stands in for an image without layers: overlayfs wants at least one. Layer numbers start at 1. */
const EMPTY_LAYER = 0;
/** Not a container id, so that start-up takes what a kill left for garbage. */
const VIEW_PREFIX = ".view-";
const CONTAINER_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

type SnapshotsOptions = { paths: StorePaths; db: Database; layers: Layers; trash: Trash };

export class Snapshots {
  readonly #paths: StorePaths;
  readonly #db: Database;
  readonly #layers: Layers;
  readonly #trash: Trash;
  readonly #layersFd: number;
  readonly #locks = new KeyedLock();

  constructor(options: SnapshotsOptions) {
    this.#paths = options.paths;
    this.#db = options.db;
    this.#layers = options.layers;
    this.#trash = options.trash;
    mkdirSync(this.#paths.layer(EMPTY_LAYER), { recursive: true, mode: 0o755 });
    this.#layersFd = openSync(this.#paths.layers, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** @param chainId top layer of the image, null for an image without layers. */
  async prepare(containerId: string, image: { id: string; chainId: Digest | null }): Promise<void> {
    await this.#locks.run(containerId, async () => {
      const directory = this.directory(containerId);
      // The row first: it keeps the layers, and start-up finishes or removes what it stands for.
      this.#db.run(
        "INSERT INTO storage_rootfs (container_id, image_id, chain_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        containerId,
        image.id,
        image.chainId,
      );
      if (existsSync(join(directory, "merged"))) return;
      try {
        this.#makeDirectories(directory, image.chainId);
      } catch (error) {
        this.#db.run("DELETE FROM storage_rootfs WHERE container_id = ?", containerId);
        this.#trash.discard(directory);
        throw toStorageError(`prepare the root file system of ${containerId}`, error);
      }
    });
  }

  /**
   * Idempotent. Returns the merged tree. Overlayfs writes all of the disk's dirty data out at the last unmount, unless the
   * mount is volatile: for a tree that is thrown away or becomes a layer, which `sync` puts on the disk.
   */
  async mount(containerId: string, options: { isVolatile?: boolean } = {}): Promise<string> {
    return this.#locks.run(containerId, async () => {
      const row = this.get(containerId);
      const merged = this.mergedPath(containerId);
      if (isMountPoint(merged)) return merged;
      const directory = this.directory(containerId);
      const data = `lowerdir=${this.lowerDirs(row.chain_id).join(":")},upperdir=${directory}/upper,workdir=${directory}/work,${OVERLAY_FLAGS}${options.isVolatile === true ? ",volatile" : ""}`;
      // Where overlayfs notes that an earlier mount was volatile, and would refuse.
      rmSync(join(directory, "work", "work", "incompat"), { recursive: true, force: true });
      try {
        mount({ source: "overlay", target: merged, type: "overlay", data });
      } catch (error) {
        throw toStorageError(`mount the root file system of ${containerId}`, error);
      }
      return merged;
    });
  }

  /** Puts everything that was written to the store on the disk. */
  async sync(): Promise<void> {
    await syncFileSystem(this.#layersFd);
  }

  /** Idempotent. */
  async unmount(containerId: string): Promise<void> {
    await this.#locks.run(containerId, () => unmountInBackground(this.mergedPath(containerId)));
  }

  /** Idempotent. */
  async remove(containerId: string): Promise<void> {
    await this.#locks.run(containerId, async () => {
      await unmountInBackground(this.mergedPath(containerId));
      this.#trash.discard(this.directory(containerId));
      this.#db.run("DELETE FROM storage_rootfs WHERE container_id = ?", containerId);
    });
  }

  /**
   * The tree as it is, for reading: the container's own mount while it runs, else a read-only overlay of its own, which
   * a start meanwhile does not notice (the writable layer is its topmost lower directory).
   */
  async view(containerId: string): Promise<{ root: string; release(): Promise<void> }> {
    return this.#locks.run(containerId, async () => {
      const row = this.get(containerId);
      if (this.isMounted(containerId)) return { root: this.mergedPath(containerId), release: async () => undefined };
      const root = await mkdtemp(join(this.#paths.rootfs, VIEW_PREFIX));
      const lower = [this.upperPath(containerId), ...this.lowerDirs(row.chain_id)].join(":");
      mount({ source: "overlay", target: root, type: "overlay", flags: MS.RDONLY, data: `lowerdir=${lower},${OVERLAY_FLAGS}` });
      return {
        root,
        async release() {
          await unmountInBackground(root);
          await rmdir(root);
        },
      };
    });
  }

  list(): string[] {
    return this.#db
      .all("SELECT container_id, image_id, chain_id FROM storage_rootfs")
      .map((row) => rootfsRowSchema.parse(row).container_id);
  }

  find(containerId: string): RootfsRow | undefined {
    const row = this.#db.get("SELECT container_id, image_id, chain_id FROM storage_rootfs WHERE container_id = ?", containerId);
    return row === undefined ? undefined : rootfsRowSchema.parse(row);
  }

  get(containerId: string): RootfsRow {
    const row = this.find(containerId);
    if (row === undefined) throw new FlotillaError("not_found", `No such container: ${containerId}`);
    return row;
  }

  isMounted(containerId: string): boolean {
    return isMountPoint(this.mergedPath(containerId));
  }

  mergedPath(containerId: string): string {
    return join(this.directory(containerId), "merged");
  }

  upperPath(containerId: string): string {
    return join(this.directory(containerId), "upper");
  }

  directory(containerId: string): string {
    // Ids are ours (64 hex), but a path is made of this one.
    if (!CONTAINER_ID.test(containerId)) throw new FlotillaError("invalid", `invalid container id ${containerId}`);
    return join(this.#paths.rootfs, containerId);
  }

  /** Lower directories, top first, as mount(2) takes them from this process. */
  lowerDirs(chainId: Digest | null): string[] {
    const numbers = chainId === null ? [EMPTY_LAYER] : this.#layers.chain(chainId).map((layer) => layer.number);
    return numbers.map((number) => `/proc/self/fd/${this.#layersFd}/${layerName(number)}`);
  }

  /** Start-up: directories without a row go, rows get their directories. */
  async recover(): Promise<void> {
    const known = new Set(this.list());
    for (const name of await readdir(this.#paths.rootfs)) {
      if (known.has(name)) continue;
      await unmountInBackground(join(this.#paths.rootfs, name, "merged"));
      await unmountInBackground(join(this.#paths.rootfs, name));
      this.#trash.discard(join(this.#paths.rootfs, name));
    }
    for (const containerId of known) {
      const directory = this.directory(containerId);
      if (!existsSync(join(directory, "merged"))) this.#makeDirectories(directory, this.get(containerId).chain_id);
    }
  }

  close(): void {
    closeSync(this.#layersFd);
  }

  /** Synchronous: five calls of microseconds each, on the way of every `docker run`. */
  #makeDirectories(directory: string, chainId: Digest | null): void {
    const upper = join(directory, "upper");
    mkdirSync(upper, { recursive: true, mode: 0o700 });
    // The root directory of the merged tree is the upper one: owner and mode must be the image's.
    const root = this.#rootStats(chainId);
    chownSync(upper, root.uid, root.gid);
    chmodSync(upper, root.mode & 0o7777);
    mkdirSync(join(directory, "work"), { recursive: true, mode: 0o700 });
    // Last: its presence says that all of it is there.
    mkdirSync(join(directory, "merged"), { recursive: true, mode: 0o700 });
  }

  #rootStats(chainId: Digest | null): Stats {
    return statSync(this.#paths.layer(chainId === null ? EMPTY_LAYER : this.#layers.get(chainId).number));
  }
}

/** Whether something is mounted on a directory: it is on another device than its parent. */
function isMountPoint(path: string): boolean {
  const here = statSync(path, { throwIfNoEntry: false });
  return here !== undefined && here.dev !== statSync(join(path, "..")).dev;
}
