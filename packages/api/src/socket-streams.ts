import { FlotillaError } from "@flotilla/core";
import type { Actor, StreamBounds } from "@flotilla/services";

/** What of a page's socket matters here; `ws` has it. */
export type PacedSocket = { readyState: number; bufferedAmount: number };

const OPEN = 1;
/** Subscriptions of one socket, which is one tab: a page has less than ten. */
const MAX_PER_SOCKET = 100;
/** A socket with so much unsent is not read as fast as it is written to. */
const FULL_BYTES = 1024 * 1024;
const LOOK_AGAIN_MS = 20;

/**
 * The subscriptions of one socket: how many there may be, and how fast they may send. Whoever reads slowly slows its own
 * subscriptions down, and so the host that they read from, instead of filling the memory of the control plane.
 */
export class SocketStreams {
  readonly #socket: PacedSocket;
  readonly #bounds: StreamBounds;
  #open = 0;

  constructor(socket: PacedSocket, bounds: StreamBounds) {
    this.#socket = socket;
    this.#bounds = bounds;
  }

  /**
   * The values of a subscription at the pace of the socket, counted until they end or `signal` aborts.
   * @throws rate_limited
   */
  admit(actor: Actor, signal: AbortSignal): { pace<T>(values: AsyncIterable<T>): AsyncGenerator<T>; end: () => void } {
    if (this.#open >= MAX_PER_SOCKET)
      throw new FlotillaError("rate_limited", `this connection has ${MAX_PER_SOCKET} subscriptions: end some of them first`);
    const release = this.#bounds.open(actor);
    this.#open++;
    let isOpen = true;
    const end = (): void => {
      if (isOpen) this.#open--;
      isOpen = false;
      release();
    };
    // Also what nobody ever began to read has an end.
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    return { pace: (values) => this.#pace(values, signal, end), end };
  }

  async *#pace<T>(values: AsyncIterable<T>, signal: AbortSignal, end: () => void): AsyncGenerator<T> {
    try {
      for await (const value of values) {
        yield value;
        await this.#untilRoom(signal);
      }
    } finally {
      signal.removeEventListener("abort", end);
      end();
    }
  }

  /** ws tells of no drain: while it is full it is looked at again and again. A socket that is closed has room for nothing. */
  async #untilRoom(signal: AbortSignal): Promise<void> {
    while (this.#socket.bufferedAmount > FULL_BYTES && this.#socket.readyState === OPEN && !signal.aborted)
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
