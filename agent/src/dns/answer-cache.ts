// Answers of resolvers outside, kept for as long as they say. Bounded in number and bytes; the oldest makes way.
export type CachedAnswer = { message: Buffer; offsets: readonly number[]; keptAtMs: number; expiresAtMs: number };

export type CacheLimits = { entries: number; bytes: number };

const DEFAULT_LIMITS: CacheLimits = { entries: 4_096, bytes: 2 * 1024 * 1024 };

export class AnswerCache {
  readonly #entries = new Map<string, CachedAnswer>();
  readonly #limits: CacheLimits;
  #bytes = 0;

  constructor(limits: CacheLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** undefined when there is none, or none that is still good. */
  find(key: string, nowMs: number): CachedAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtMs > nowMs) return entry;
    this.#remove(key, entry);
    return undefined;
  }

  keep(key: string, answer: CachedAnswer): void {
    const before = this.#entries.get(key);
    if (before !== undefined) this.#remove(key, before);
    this.#entries.set(key, answer);
    this.#bytes += answer.message.length;
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) return;
      this.#remove(oldest, entry);
    }
  }

  #remove(key: string, entry: CachedAnswer): void {
    this.#entries.delete(key);
    this.#bytes -= entry.message.length;
  }
}
