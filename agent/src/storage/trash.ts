import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import type { Logger } from "@flotilla/core";
import { run } from "../host/run.ts";
import { removeSmallTree } from "./remove-small-tree.ts";
import type { StorePaths } from "./store-paths.ts";

/** A tree of so few entries is deleted in less time than it takes to start an `rm`: what most containers leave. */
const SMALL_ENTRIES = 64;

/** Paths per `rm`, so that the arguments stay far below the kernel's limit. */
const BATCH = 200;
/** A tree of a million files takes long; nobody waits for it. */
const REMOVE_TIMEOUT_MS = 3_600_000;

/**
 * Deletes trees without making anyone wait: `discard` renames (at once, also for a tree of a million files), and a
 * separate process deletes what was renamed, unless it is small. A kill in between leaves it in the trash, for the next start.
 */
export class Trash {
  readonly #paths: StorePaths;
  readonly #logger: Logger;
  #emptying: Promise<void> | undefined;
  #isAskedAgain = false;

  constructor(options: { paths: StorePaths; logger: Logger }) {
    this.#paths = options.paths;
    this.#logger = options.logger;
  }

  /** Takes a tree or file out of the store now. What is not there is done. */
  discard(path: string): void {
    if (!existsSync(path)) return;
    renameSync(path, join(this.#paths.trash, `${basename(path)}-${randomUUID()}`));
    this.empty();
  }

  /** Deletes in the background what is in the trash. */
  empty(): void {
    if (this.#emptying !== undefined) {
      this.#isAskedAgain = true;
      return;
    }
    this.#emptying = this.#run().finally(() => {
      this.#emptying = undefined;
      if (!this.#isAskedAgain) return;
      this.#isAskedAgain = false;
      this.empty();
    });
  }

  /** Settles when the trash is empty. */
  async settled(): Promise<void> {
    while (this.#emptying !== undefined) await this.#emptying;
  }

  async #run(): Promise<void> {
    // Let a burst of removals share one process.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const names = await this.#removeSmall(readdirSync(this.#paths.trash));
    for (let i = 0; i < names.length; i += BATCH) {
      const batch = names.slice(i, i + BATCH).map((name) => join(this.#paths.trash, name));
      try {
        await run({ argv: ["rm", "-rf", "--one-file-system", "--", ...batch], timeoutMs: REMOVE_TIMEOUT_MS });
      } catch (error) {
        this.#logger.warn("cannot empty the trash, will try again at the next start", { error });
      }
    }
  }

  /** @returns the names that are left. */
  async #removeSmall(names: readonly string[]): Promise<string[]> {
    const left: string[] = [];
    for (const name of names) {
      if (!removeSmallTree(join(this.#paths.trash, name), SMALL_ENTRIES)) left.push(name);
      // Others have their turn between two trees.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return left;
  }
}
