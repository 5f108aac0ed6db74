import type { Digest } from "@flotilla/image";

/**
 * Blobs and layers that an operation under way needs although no image leads to them yet. In memory only: a killed agent
 * has no operations under way, and what they left is garbage at the next start.
 */
export class Leases {
  readonly #counts = new Map<string, number>();

  open(): Lease {
    const held = new Set<Digest>();
    return {
      add: (digest) => {
        if (held.has(digest)) return;
        held.add(digest);
        this.#counts.set(digest, (this.#counts.get(digest) ?? 0) + 1);
      },
      release: () => {
        for (const digest of held) {
          const count = (this.#counts.get(digest) ?? 0) - 1;
          if (count > 0) this.#counts.set(digest, count);
          else this.#counts.delete(digest);
        }
        const released = [...held];
        held.clear();
        return released;
      },
    };
  }

  has(digest: string): boolean {
    return this.#counts.has(digest);
  }
}

export type Lease = {
  /** A blob's digest or a layer's chain id. */
  add: (digest: Digest) => void;
  /** Idempotent. Says what was held until now. */
  release(): Digest[];
};
