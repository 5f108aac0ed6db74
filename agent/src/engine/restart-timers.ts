/** Pending restarts by policy: at most one per container. */
export class RestartTimers {
  readonly #timers = new Map<string, NodeJS.Timeout>();

  schedule(id: string, delayMs: number, work: () => void): void {
    this.cancel(id);
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      work();
    }, delayMs);
    this.#timers.set(id, timer);
  }

  /** Whether there was one to cancel. */
  cancel(id: string): boolean {
    const timer = this.#timers.get(id);
    clearTimeout(timer);
    return this.#timers.delete(id);
  }

  cancelAll(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
