import { createHash } from "node:crypto";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { CacheSharing, Owner } from "@flotilla/dockerfile";
import type { BuildStore, MountRow } from "./build-store.ts";

export type CacheMountRequest = { namespace: string; id: string; sharing: CacheSharing; owner: Owner; signal: AbortSignal };

/** A directory that a step may use until it gives it back. `isNew`: nothing is in it yet. */
export type CacheMountUse = { directory: string; isNew: boolean; release: () => void };

/** Directories of `RUN --mount=type=cache`: kept from build to build, one per namespace and id, more for `private`. */
export class CacheMounts {
  readonly #directory: string;
  readonly #store: BuildStore;
  /** Uses under way, by directory. */
  readonly #uses = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(options: { directory: string; store: BuildStore }) {
    this.#directory = options.directory;
    this.#store = options.store;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  }

  async acquire(request: CacheMountRequest): Promise<CacheMountUse> {
    const base = createHash("sha256")
      .update(JSON.stringify([request.namespace, request.id]))
      .digest("hex")
      .slice(0, 32);
    if (request.sharing === "locked") await this.#untilFree(base, request.signal);
    const name = request.sharing === "private" ? this.#firstFree(base) : base;
    const directory = join(this.#directory, name);
    const isNew = !existsSync(directory);
    this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
    this.#store.useMount({ directory: name, namespace: request.namespace, id: request.id });
    if (isNew) {
      mkdirSync(directory);
      chownSync(directory, request.owner.uid ?? 0, request.owner.gid ?? 0);
      chmodSync(directory, request.owner.mode ?? 0o755);
    }
    return { directory, isNew, release: () => this.#release(name) };
  }

  /** Those that no step uses, least recently used first; of one namespace. */
  idle(namespace: string): MountRow[] {
    return this.#store.mounts().filter((row) => row.namespace === namespace && !this.#uses.has(row.directory));
  }

  isUsed(row: MountRow): boolean {
    return this.#uses.has(row.directory);
  }

  pathOf(row: MountRow): string {
    return join(this.#directory, row.directory);
  }

  /** Directories that no row knows: what a kill left between the two. */
  unknown(): string[] {
    const known = new Set(this.#store.mounts().map((row) => row.directory));
    return readdirSync(this.#directory).filter((name) => !known.has(name));
  }

  get directory(): string {
    return this.#directory;
  }

  #firstFree(base: string): string {
    for (let number = 0; ; number += 1) {
      const name = number === 0 ? base : `${base}-${number}`;
      if (!this.#uses.has(name)) return name;
    }
  }

  async #untilFree(name: string, signal: AbortSignal): Promise<void> {
    while (this.#uses.has(name)) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), resolve]);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  #release(name: string): void {
    const left = (this.#uses.get(name) ?? 1) - 1;
    if (left > 0) this.#uses.set(name, left);
    else this.#uses.delete(name);
    const waiting = this.#waiting.get(name) ?? [];
    this.#waiting.delete(name);
    for (const wake of waiting) wake();
  }
}
