import type { WaitCondition, WaitResult } from "./containers-port.ts";

type Waiter = { condition: WaitCondition; settle(result: WaitResult): void };

/** Who waits for what of which container. Waiters of a client that is gone are dropped. */
export class Waiters {
  readonly #waiters = new Map<string, Set<Waiter>>();

  add(id: string, condition: WaitCondition, signal: AbortSignal): Promise<WaitResult> {
    return new Promise((resolve, reject) => {
      const set = this.#waiters.get(id) ?? new Set();
      this.#waiters.set(id, set);
      const forget = (): void => {
        set.delete(waiter);
        if (set.size === 0 && this.#waiters.get(id) === set) this.#waiters.delete(id);
        signal.removeEventListener("abort", abort);
      };
      const waiter: Waiter = {
        condition,
        settle: (result) => {
          forget();
          resolve(result);
        },
      };
      const abort = (): void => {
        forget();
        reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
      };
      set.add(waiter);
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** Settles the waiters of a container whose condition is one of these. */
  settle(id: string, conditions: readonly WaitCondition[], result: WaitResult): void {
    for (const waiter of this.#waiters.get(id) ?? []) if (conditions.includes(waiter.condition)) waiter.settle(result);
  }
}
