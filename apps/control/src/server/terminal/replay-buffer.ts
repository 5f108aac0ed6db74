/** Keeps the last bytes of a terminal, for a viewer that comes (again). */
export class ReplayBuffer {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#size > this.#maxBytes) {
      const [oldest] = this.#chunks;
      if (oldest === undefined) return;
      const surplus = this.#size - this.#maxBytes;
      if (oldest.length <= surplus) {
        this.#chunks.shift();
        this.#size -= oldest.length;
      } else {
        this.#chunks[0] = oldest.subarray(surplus);
        this.#size -= surplus;
      }
    }
  }

  bytes(): Buffer {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = all.length === 0 ? [] : [all];
    return all;
  }
}
