import type { Hash } from "node:crypto";

const MAX_ENTRIES = 1_000;

type Entry = { hash: Hash; offset: number };

/**
 * The SHA-256 of uploads between two of their requests, so that a chunked upload is hashed as it comes in. What is not
 * here (another control plane, a restart, too many uploads) is hashed again from storage.
 */
export class RunningHashes {
  readonly #entries = new Map<string, Entry>();

  keep(uploadId: string, entry: Entry): void {
    this.#entries.delete(uploadId);
    this.#entries.set(uploadId, entry);
    const oldest = this.#entries.size > MAX_ENTRIES ? this.#entries.keys().next().value : undefined;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  /** Takes the hash of exactly the first `offset` bytes out, if it is known. */
  take(uploadId: string, offset: number): Hash | undefined {
    const entry = this.#entries.get(uploadId);
    this.#entries.delete(uploadId);
    return entry?.offset === offset ? entry.hash : undefined;
  }

  drop(uploadId: string): void {
    this.#entries.delete(uploadId);
  }
}
