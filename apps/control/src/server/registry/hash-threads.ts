// Hashing and writing cost most of an upload's processor time. Two threads do it, so that uploads beside each other use two
// processors and the main thread goes on with everything else.
import { Worker } from "node:worker_threads";
import { FlotillaError } from "@flotilla/core";
import type { HashOrder, HashReply, HashRequest } from "./hash-worker.ts";

const THREADS = 2;
/** A thread without orders for this long ends; what it knew is read from the files again. */
const IDLE_MS = 60_000;
/** A thread that holds a hash, a portion and little else. */
const LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 };

type WithoutHash<Order> = Order extends unknown ? Omit<Order, "hash"> : never;

/** A SHA-256 that goes on from order to order, all of them done in their order by one thread. */
export class RunningHash {
  readonly #thread: HashThread;
  readonly #number: number;

  constructor(thread: HashThread, number: number) {
    this.#thread = thread;
    this.#number = number;
  }

  /** Returns how many bytes were written or read. @throws the error of the file system, with its `code`. */
  async run(order: WithoutHash<Extract<HashOrder, { kind: "write" | "read" }>>): Promise<number> {
    return (await this.#thread.call({ ...order, hash: this.#number })).bytes;
  }

  /** Ends it. @returns hexadecimal digits. */
  async digest(): Promise<string> {
    const { hex } = await this.#thread.call({ kind: "digest", hash: this.#number });
    return hex ?? "";
  }

  /** Whether its thread still knows it. */
  get isAlive(): boolean {
    return !this.#thread.isOver;
  }

  forget(): void {
    this.#thread.call({ kind: "forget", hash: this.#number }).catch(() => undefined);
  }
}

export class HashThreads {
  #threads: HashThread[] = [];
  #begun = 0;

  /** Begins a hash on the thread with the least to do. */
  begin(): RunningHash {
    this.#threads = this.#threads.filter((thread) => !thread.isOver);
    if (this.#threads.length < THREADS) this.#threads.push(new HashThread());
    // The one after the last one, where they have as much to do: what is idle now gets the next upload.
    const at = this.#begun++;
    const inTurn = this.#threads.map((_, index) => this.#threads[(at + index) % this.#threads.length]);
    const least = inTurn.reduce((best, thread) => (best === undefined || (thread?.load ?? 0) < best.load ? thread : best));
    return new RunningHash(least ?? new HashThread(), at);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}

class HashThread {
  readonly #worker: Worker;
  readonly #calls = new Map<number, PromiseWithResolvers<HashReply>>();
  #calledBefore = 0;
  #idle: NodeJS.Timeout;
  isOver = false;

  constructor() {
    this.#worker = new Worker(new URL("hash-worker.ts", import.meta.url), { resourceLimits: LIMITS, execArgv: ["--no-warnings"], env: {} });
    this.#worker.on("message", (reply: HashReply) => this.#settle(reply));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(undefined));
    this.#worker.unref();
    this.#idle = this.#endLater();
  }

  get load(): number {
    return this.#calls.size;
  }

  async call(order: HashOrder): Promise<HashReply> {
    if (this.isOver) throw new FlotillaError("internal", "the thread that hashes uploads has ended");
    const number = this.#calledBefore++;
    const call = Promise.withResolvers<HashReply>();
    this.#calls.set(number, call);
    if (this.#calls.size === 1) clearTimeout(this.#idle);
    this.#worker.ref();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage({ number, order } satisfies HashRequest);
    return call.promise;
  }

  /** A call that is under way fails when the thread is gone, and so uses its file no more. */
  async end(): Promise<void> {
    this.isOver = true;
    clearTimeout(this.#idle);
    await this.#worker.terminate();
    this.#fail(undefined);
  }

  #endLater(): NodeJS.Timeout {
    return setTimeout(() => void this.end(), IDLE_MS).unref();
  }

  #settle(reply: HashReply): void {
    const call = this.#calls.get(reply.number);
    this.#calls.delete(reply.number);
    if (reply.failure === undefined) call?.resolve(reply);
    else call?.reject(Object.assign(new Error(reply.failure.message), { code: reply.failure.code }));
    if (this.#calls.size > 0) return;
    this.#worker.unref();
    this.#idle = this.#endLater();
  }

  #fail(cause: Error | undefined): void {
    this.isOver = true;
    clearTimeout(this.#idle);
    for (const call of this.#calls.values())
      call.reject(new FlotillaError("internal", "the thread that hashes uploads has ended", { cause }));
    this.#calls.clear();
  }
}
