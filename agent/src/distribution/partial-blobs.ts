import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, rmdirSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { KeyedLock } from "@flotilla/core";
import type { Descriptor, Digest } from "@flotilla/image";
import { PartialBlob, partialPaths } from "@flotilla/registry";
import { toStorageError } from "../storage/storage-error.ts";

const WEEK_MS = 7 * 24 * 3600 * 1000;
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/**
 * Blobs while they are downloaded, and whole ones until their image is: what a failure, a cancelled pull or a kill leaves is
 * taken up by the next pull, and thrown away after a week. Each namespace has its own, because bytes that one team's
 * registry gave must not count as brought by another.
 */
export class PartialBlobs {
  readonly #root: string;
  readonly #bootId: string;
  readonly #nowMs: () => number;
  readonly #locks = new KeyedLock();

  constructor(options: { dataDir: string; nowMs: () => number }) {
    this.#root = join(options.dataDir, "partial-blobs");
    this.#bootId = readFileSync(BOOT_ID, "utf8").trim();
    this.#nowMs = options.nowMs;
  }

  /** Runs something with the partial blob, alone. It is closed afterwards and stays on the disk. */
  async use<T>(namespace: string, blob: Pick<Descriptor, "digest" | "size">, work: (partial: PartialBlob) => Promise<T>): Promise<T> {
    const directory = this.#directory(namespace);
    return this.#locks.run(lockOf(directory, blob.digest), async () => {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      await using partial = await PartialBlob.open({ directory, bootId: this.#bootId, blob });
      // Awaited here: it is closed when this returns.
      return await work(partial);
    });
  }

  /** Puts a whole blob on the disk, before a row may name it; one that was taken meanwhile is there already. */
  async sync(namespace: string, digest: Digest): Promise<void> {
    const { data } = partialPaths(this.#directory(namespace), digest);
    try {
      await using file = await open(data, "r");
      await file.datasync();
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
      throw toStorageError(`write blob ${digest}`, error);
    }
  }

  /** Moves a whole blob where it belongs; false when it is not here (any more). */
  take(namespace: string, digest: Digest, move: (path: string) => void): boolean {
    const { data, record } = partialPaths(this.#directory(namespace), digest);
    if (statSync(data, { throwIfNoEntry: false }) === undefined) return false;
    move(data);
    rmSync(record, { force: true });
    return true;
  }

  /** Throws away what nobody has asked for in a week. */
  sweep(): void {
    for (const name of listDirectory(this.#root)) {
      const directory = join(this.#root, name);
      for (const file of listDirectory(directory)) this.#sweepFile(directory, file);
      if (listDirectory(directory).length === 0) tryTo(() => rmdirSync(directory));
    }
  }

  #sweepFile(directory: string, file: string): void {
    const path = join(directory, file);
    const stats = statSync(path, { throwIfNoEntry: false });
    const isBusy = this.#locks.isBusy(lockOf(directory, `sha256:${file.slice(0, 64)}`));
    if (stats === undefined || isBusy || this.#nowMs() - stats.mtimeMs < WEEK_MS) return;
    // First out of the way under a name that no download uses.
    tryTo(() => {
      renameSync(path, `${path}.old`);
      rmSync(`${path}.old`, { force: true });
    });
  }

  #directory(namespace: string): string {
    return join(this.#root, createHash("sha256").update(namespace).digest("hex").slice(0, 32));
  }
}

function lockOf(directory: string, digest: string): string {
  return `${directory} ${digest}`;
}

function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** What cannot be swept now is swept the next time. */
function tryTo(work: () => void): void {
  try {
    work();
  } catch {
    return;
  }
}
