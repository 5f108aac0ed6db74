// Which packets get to a peer undivided: found by halving, with probes that no router may divide. Pure. No ICMP is needed,
// so a hop that drops in silence is found like any other.

/** What IPv4 carries everywhere; ordinary probes are about that small. */
const SMALLEST_BYTES = 68;
/** A size counts as too large after so many probes without an answer while ordinary ones are answered. */
const ATTEMPTS = 3;
const CONFIRM_EVERY_MS = 60_000;
/** A path that became wider, or was measured while it lost packets. */
const RETRY_WIDER_EVERY_MS = 300_000;

/** State of the search at one peer. */
export class PathMtuSearch {
  readonly #limitBytes: number;
  /** Known to pass, known not to. */
  #passes = SMALLEST_BYTES;
  #fails: number;
  #trying: number;
  #attempts = 0;
  #found: number | undefined;
  #nextAtMs = 0;
  #widerAtMs = 0;

  /** @param limitBytes MTU of this host's own link: larger packets do not even leave it. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.#fails = limitBytes + 1;
    this.#trying = limitBytes;
  }

  /** The largest packet that gets there; undefined while it is being looked for the first time. */
  get foundBytes(): number | undefined {
    return this.#found;
  }

  /** The size of the packet to try now; undefined: nothing is due. */
  due(nowMs: number): number | undefined {
    return nowMs < this.#nextAtMs ? undefined : this.#trying;
  }

  /** A packet of this size was answered. */
  passed(sizeBytes: number, nowMs: number): void {
    this.#passes = Math.max(this.#passes, sizeBytes);
    // Larger than what was thought to be too large: the path is another one now.
    if (this.#passes >= this.#fails) this.#fails = this.#limitBytes + 1;
    if (sizeBytes >= this.#trying) this.#next(nowMs);
  }

  /** A packet of this size was not answered in time. @param isFinal it cannot be: this host's own link refused it. */
  failed(sizeBytes: number, given: { nowMs: number; isFinal: boolean }): void {
    if (sizeBytes !== this.#trying) return;
    this.#attempts += 1;
    if (!given.isFinal && this.#attempts < ATTEMPTS) return;
    // What passed for a while and does not any more: all that is known is old.
    if (sizeBytes <= this.#passes) this.#passes = SMALLEST_BYTES;
    this.#fails = sizeBytes;
    this.#next(given.nowMs);
  }

  /** The peer is away: what was under way says nothing, and afterwards the path may be another. */
  interrupt(): void {
    this.#attempts = 0;
    this.#nextAtMs = 0;
    if (this.#found !== undefined) this.#trying = this.#found;
  }

  #next(nowMs: number): void {
    this.#attempts = 0;
    if (this.#fails - this.#passes > 1) {
      this.#trying = this.#passes + Math.ceil((this.#fails - this.#passes) / 2);
      if (this.#trying >= this.#fails) this.#trying = this.#fails - 1;
      // The whole link is likelier than half of it.
      if (this.#fails > this.#limitBytes) this.#trying = this.#limitBytes;
      return;
    }
    if (this.#found === undefined) this.#widerAtMs = nowMs + RETRY_WIDER_EVERY_MS;
    this.#found = this.#passes;
    this.#trying = this.#found;
    this.#nextAtMs = nowMs + CONFIRM_EVERY_MS;
    if (this.#found === this.#limitBytes || nowMs < this.#widerAtMs) return;
    this.#widerAtMs = nowMs + RETRY_WIDER_EVERY_MS;
    this.#fails = this.#limitBytes + 1;
    this.#trying = this.#limitBytes;
  }
}
