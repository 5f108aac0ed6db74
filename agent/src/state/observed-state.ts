import { type Logger, toFlotillaError } from "@flotilla/core";
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

/** For what is costly to say and changes often. */
export type ObservedDescriber = {
  /** What is observed under a key is another: it is asked for when it is about to be told, once for however many changes. undefined: nothing is there. */
  describe(key: string, describe: () => ResourceBody | undefined): void;
};

/** What is set while somebody gathers waits at most so long: sixty containers that start are a few reports and not sixty. */
const GATHER_MS = 1_000;

type Entry = { feed: ObservedFeed; isPlanned: boolean };
type Options = { nowMs?: () => number; timer?: Timer };

/**
 * What this host observes, by key, for the control plane. Kept in memory only: whoever publishes does so again after a
 * restart, and every new connection gets all of it.
 */
export class ObservedState implements ObservedPublisher, ObservedDescriber {
  readonly #logger: Logger;
  readonly #current = new Map<string, Resource>();
  readonly #feeds = new Set<Entry>();
  /** To be asked before something is told. */
  readonly #due = new Map<string, () => ResourceBody | undefined>();
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
    this.#due.delete(key);
    if (this.#store(key, body)) this.#announce();
  }

  describe(key: string, describe: () => ResourceBody | undefined): void {
    this.#due.set(key, describe);
    this.#announce();
  }

  remove(key: string): void {
    this.#due.delete(key);
    if (this.#drop(key)) this.#announce();
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
    this.#describeDue();
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

  /** Returns whether that is another value than before. */
  #store(key: string, body: ResourceBody): boolean {
    const item = makeResource(key, body);
    const before = this.#current.get(key);
    if (before?.revision === item.revision) return false;
    const bytes = this.#bytes + sizeOf(item) - sizeOf(before);
    if (bytes > MAX_DOCUMENT_BYTES || (before === undefined && this.#current.size >= MAX_RESOURCES)) {
      this.#logger.warn("observed state is too large: this is left out", { key, resources: this.#current.size, bytes });
      return false;
    }
    this.#bytes = bytes;
    this.#current.set(key, item);
    this.#touch(key);
    return true;
  }

  #drop(key: string): boolean {
    const before = this.#current.get(key);
    if (before === undefined) return false;
    this.#bytes -= sizeOf(before);
    this.#current.delete(key);
    this.#touch(key);
    return true;
  }

  #touch(key: string): void {
    for (const { feed } of this.#feeds) feed.touch(key);
  }

  #describeDue(): void {
    const due = [...this.#due];
    this.#due.clear();
    for (const [key, describe] of due) {
      try {
        const body = describe();
        if (body === undefined) this.#drop(key);
        else this.#store(key, body);
      } catch (error) {
        this.#logger.warn("what is observed could not be described: what was told of it stays", {
          key,
          error: toFlotillaError(error).message,
        });
      }
    }
  }

  #announce(): void {
    if (this.#gathering > 0) this.#cancel ??= this.#timer.after(GATHER_MS, () => this.flush());
    if (this.#cancel === undefined) for (const entry of this.#feeds) this.#plan(entry);
  }

  /** What one piece of work sets goes out together. */
  #plan(entry: Entry): void {
    if (entry.isPlanned) return;
    entry.isPlanned = true;
    queueMicrotask(() => {
      entry.isPlanned = false;
      this.#describeDue();
      if (this.#feeds.has(entry)) entry.feed.pump();
    });
  }
}

function sizeOf(item: Resource | undefined): number {
  return item === undefined ? 0 : Buffer.byteLength(JSON.stringify(item));
}
