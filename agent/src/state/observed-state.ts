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
import { realTimer, type Timer } from "./timer.ts";

/** What any part of the engine may publish to. */
export type ObservedPublisher = {
  /** Sets what is observed under a key, such as `service/<id>/<replica>`. The same value once more is nothing. */
  set(key: string, body: ResourceBody): void;
  remove(key: string): void;
};

/** What is set while somebody gathers waits at most so long: sixty containers that start are some reports and not sixty. */
const GATHER_MS = 400;

type Entry = { feed: ObservedFeed; isPlanned: boolean };
type Options = { nowMs?: () => number; timer?: Timer };

/**
 * What this host observes, by key, for the control plane. Kept in memory only: whoever publishes does so again after a
 * restart, and every new connection gets all of it.
 */
export class ObservedState implements ObservedPublisher {
  readonly #logger: Logger;
  readonly #current = new Map<string, Resource>();
  readonly #feeds = new Set<Entry>();
  readonly #nowMs: () => number;
  readonly #timer: Timer;
  #gathering = 0;
  /** Calls off the report of what was gathered; undefined: nothing waits. */
  #cancel: (() => void) | undefined;
  #bytes = 0;
  #silentSinceMs: number | undefined;

  constructor(logger: Logger, { nowMs = Date.now, timer = realTimer }: Options = {}) {
    this.#logger = logger;
    this.#nowMs = nowMs;
    this.#timer = timer;
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
    const entry: Entry = { feed: new ObservedFeed(this.#current, send, () => this.#cancel !== undefined), isPlanned: false };
    this.#feeds.add(entry);
    this.#silentSinceMs = undefined;
    entry.feed.pump();
    const close = (): void => {
      if (this.#feeds.delete(entry) && this.#feeds.size === 0) this.#silentSinceMs = this.#nowMs();
    };
    return { feed: entry.feed, close };
  }

  /**
   * Until the function that it returns is called, more is about to be set: what is set goes out together, each {@link GATHER_MS} and at the
   * end of the last one that gathers.
   */
  gather(): () => void {
    this.#gathering += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#gathering -= 1;
      if (this.#gathering === 0) this.flush();
    };
  }

  /** Sends what was gathered without waiting for the rest of it. */
  flush(): void {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#cancel = undefined;
    for (const entry of this.#feeds) this.#plan(entry);
  }

  #touch(key: string): void {
    if (this.#gathering > 0) this.#cancel ??= this.#timer.after(GATHER_MS, () => this.flush());
    for (const entry of this.#feeds) {
      entry.feed.touch(key);
      if (this.#cancel === undefined) this.#plan(entry);
    }
  }

  /** What one piece of work sets goes out together. */
  #plan(entry: Entry): void {
    if (entry.isPlanned) return;
    entry.isPlanned = true;
    queueMicrotask(() => {
      entry.isPlanned = false;
      if (this.#feeds.has(entry)) entry.feed.pump();
    });
  }
}

function sizeOf(item: Resource | undefined): number {
  return item === undefined ? 0 : Buffer.byteLength(JSON.stringify(item));
}
