import { type FlotillaError, toFlotillaError } from "@flotilla/core";
import { isDatabaseAway } from "@flotilla/db";
import type { ComposedState } from "@flotilla/protocol";
import type { Compositions, CompositionWish } from "./compose-host-state.ts";

/** Hosts of one batch. */
const MAX_HOSTS = 16;
/** Batches that run at once: the database has other readers. */
const MAX_BATCHES = 4;
/** A batch that takes longer keeps nobody else waiting. */
const SLOW_MS = 250;

type Wish = CompositionWish & { resolve: (state: ComposedState) => void; reject: (error: FlotillaError) => void };
/** {@link composeHostStates} of a control plane. */
type Compose = (wishes: readonly CompositionWish[]) => Promise<Compositions>;

/**
 * Composes the states of hosts that are asked for at the same time together. What is asked for while a batch runs is in the next one: a batch
 * begins after each of its wishes was made, so it reads whatever was committed before.
 */
export class CompositionQueue {
  readonly #compose: Compose;
  readonly #waiting: Wish[] = [];
  #running = 0;
  #isBusy = false;

  constructor(compose: Compose) {
    this.#compose = compose;
  }

  /** @param above the host has this generation of something else. @throws as composeHostState does. */
  compose(hostId: string, above = 0): Promise<ComposedState> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ hostId, above, resolve, reject });
      this.#begin();
    });
  }

  /** What else is asked for in this turn comes with it. */
  #begin(): void {
    if (this.#isBusy || this.#running >= MAX_BATCHES || this.#waiting.length === 0) return;
    this.#isBusy = true;
    setImmediate(() => void this.#run(this.#waiting.splice(0, MAX_HOSTS)));
  }

  async #run(wishes: readonly Wish[]): Promise<void> {
    this.#running += 1;
    let isOpen = false;
    const open = (): void => {
      if (isOpen) return;
      isOpen = true;
      this.#isBusy = false;
      this.#begin();
    };
    const timer = setTimeout(open, SLOW_MS);
    try {
      await this.#take(wishes);
    } finally {
      clearTimeout(timer);
      this.#running -= 1;
      open();
      this.#begin();
    }
  }

  /** One that cannot be composed fails alone: the others are composed each by itself. */
  async #take(wishes: readonly Wish[]): Promise<void> {
    try {
      settle(wishes, await this.#compose(wishes));
    } catch (error) {
      if (wishes.length === 1 || isDatabaseAway(error)) for (const { reject } of wishes) reject(toFlotillaError(error));
      else await Promise.all(wishes.map((wish) => this.#take([wish])));
    }
  }
}

function settle(wishes: readonly Wish[], composed: Compositions): void {
  for (const { hostId, resolve, reject } of wishes) {
    const state = composed.get(hostId);
    if (state === undefined || state instanceof Error) reject(state ?? toFlotillaError(new Error(`host ${hostId} was not composed`)));
    else resolve(state);
  }
}
