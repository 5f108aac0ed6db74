/** Lets a fixed number of tasks run at a time, in the order in which they came. */
export class Limiter {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  /** Whether a task would have to wait now. */
  get isFull(): boolean {
    return this.#free === 0;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      // A slot that somebody waits for is handed over and never free.
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
