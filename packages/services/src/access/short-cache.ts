const DEFAULT_LIFETIME_MS = 1_000;
const MAX_ENTRIES = 2_000;

/**
 * Keeps answers of the database for a second, so that a burst of calls with one token asks once. Whoever takes a right
 * away clears it: on this control plane at once, on others a second later (streams are asked again anyway).
 */
export class ShortCache {
  readonly #entries = new Map<string, { value: Promise<unknown>; untilMs: number }>();
  readonly #lifetimeMs: number;
  readonly #nowMs: () => number;

  constructor(options: { lifetimeMs?: number; nowMs?: () => number } = {}) {
    this.#lifetimeMs = options.lifetimeMs ?? DEFAULT_LIFETIME_MS;
    this.#nowMs = options.nowMs ?? Date.now;
  }

  /** The kept answer, or that of `load`; one that fails or is absent is not kept. Keys name the type of what they hold. */
  async get<T>(key: string, load: () => Promise<T>): Promise<T> {
    const now = this.#nowMs();
    const found = this.#entries.get(key);
    if (found !== undefined && found.untilMs > now) return found.value as Promise<T>;
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.clear();
    const value = load();
    this.#entries.set(key, { value, untilMs: now + this.#lifetimeMs });
    const drop = (): boolean => this.#entries.delete(key);
    // What is not there may come any moment (a host that joins), and must be seen then.
    value.then((answer) => (answer === undefined || answer === null ? drop() : undefined), drop);
    return value;
  }

  clear(): void {
    this.#entries.clear();
  }
}
