import { setImmediate as nextTurn } from "node:timers/promises";

/** Long enough that turns of the event loop cost little beside the work, short enough that nobody notices. */
const SLICE_MS = 4;

/**
 * Cuts long synchronous work into slices. System calls on file systems take microseconds in this thread and ten times that
 * through the thread pool, so that a walk over a million files is synchronous, and rests between its slices.
 */
export class Pace {
  readonly #signal: AbortSignal | undefined;
  readonly #now: () => number;
  #sinceMs: number;

  constructor(signal?: AbortSignal, now: () => number = () => performance.now()) {
    this.#signal = signal;
    this.#now = now;
    this.#sinceMs = now();
  }

  /** To be asked between two pieces of work, and awaited when it answers a promise. That rejects when nobody wants the work any more. */
  rest(): Promise<void> | undefined {
    return this.#now() - this.#sinceMs < SLICE_MS ? undefined : this.#turn();
  }

  async #turn(): Promise<void> {
    await nextTurn();
    this.#signal?.throwIfAborted();
    this.#sinceMs = this.#now();
  }
}
