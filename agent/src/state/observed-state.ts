import type { Logger } from "@flotilla/core";
import {
  makeResource,
  MAX_DOCUMENT_BYTES,
  MAX_RESOURCES,
  ObservedFeed,
  type ObservedMessage,
  type Resource,
  type ResourceBody,
} from "@flotilla/protocol";

/** What any part of the engine may publish to. */
export type ObservedPublisher = {
  /** Sets what is observed under a key, such as `service/<id>/<replica>`. The same value once more is nothing. */
  set(key: string, body: ResourceBody): void;
  remove(key: string): void;
};

/**
 * What this host observes, by key, for the control plane. Kept in memory only: whoever publishes does so again after a
 * restart, and every new connection gets all of it.
 */
export class ObservedState implements ObservedPublisher {
  readonly #logger: Logger;
  readonly #current = new Map<string, Resource>();
  readonly #feeds = new Set<{ feed: ObservedFeed; isPlanned: boolean }>();
  readonly #nowMs: () => number;
  #bytes = 0;
  #silentSinceMs: number | undefined;

  constructor(logger: Logger, nowMs: () => number = Date.now) {
    this.#logger = logger;
    this.#nowMs = nowMs;
    this.#silentSinceMs = nowMs();
  }

  set(key: string, body: ResourceBody): void {
    const item = makeResource(key, body);
    const before = this.#current.get(key);
    if (before?.revision === item.revision) return;
    const bytes = this.#bytes + sizeOf(item) - sizeOf(before);
    if (bytes > MAX_DOCUMENT_BYTES || (before === undefined && this.#current.size >= MAX_RESOURCES)) {
      this.#logger.warn("observed state is too large: this is left out", { key, resources: this.#current.size, bytes });
      return;
    }
    this.#bytes = bytes;
    this.#current.set(key, item);
    this.#touch(key);
  }

  remove(key: string): void {
    const before = this.#current.get(key);
    if (before === undefined) return;
    this.#bytes -= sizeOf(before);
    this.#current.delete(key);
    this.#touch(key);
  }

  /** Whether a control plane is connected and hears what is set. */
  get isRead(): boolean {
    return this.#feeds.size > 0;
  }

  /** Since when nobody hears what is set; undefined while a control plane does. */
  silentSinceMs(): number | undefined {
    return this.#silentSinceMs;
  }

  /** Begins to report to a connection, at once and with everything. `close` ends it. */
  open(send: (message: ObservedMessage) => void): { feed: ObservedFeed; close: () => void } {
    const entry = { feed: new ObservedFeed(this.#current, send), isPlanned: false };
    this.#feeds.add(entry);
    this.#silentSinceMs = undefined;
    entry.feed.pump();
    const close = (): void => {
      if (this.#feeds.delete(entry) && this.#feeds.size === 0) this.#silentSinceMs = this.#nowMs();
    };
    return { feed: entry.feed, close };
  }

  #touch(key: string): void {
    for (const entry of this.#feeds) {
      entry.feed.touch(key);
      if (entry.isPlanned) continue;
      // What one piece of work sets goes out together.
      entry.isPlanned = true;
      queueMicrotask(() => {
        entry.isPlanned = false;
        if (this.#feeds.has(entry)) entry.feed.pump();
      });
    }
  }
}

function sizeOf(item: Resource | undefined): number {
  return item === undefined ? 0 : Buffer.byteLength(JSON.stringify(item));
}
