/** A token bucket: how many handshakes may begin. After a restart of the control plane all hosts come at once. */
export class Admission {
  #tokens: number;
  #filledAtMs: number;
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #nowMs: () => number;

  constructor(options: { perSecond: number; burst: number; nowMs?: () => number }) {
    this.#perSecond = options.perSecond;
    this.#burst = options.burst;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#tokens = options.burst;
    this.#filledAtMs = this.#nowMs();
  }

  /** Takes one token if there is one. */
  tryTake(): boolean {
    const now = this.#nowMs();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAtMs) / 1000) * this.#perSecond);
    this.#filledAtMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
