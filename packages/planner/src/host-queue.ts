import type { HostUse } from "./host-use.ts";

type Entry = { use: HostUse; load: number };

/**
 * Hosts, the least loaded first; of equals the first by name. Loads only rise while a plan is made, so an entry that is out of
 * date comes too early and is put back where it belongs: one host may be in many queues, and no queue is told of changes.
 */
export class HostQueue {
  readonly #heap: Entry[] = [];

  constructor(uses: Iterable<HostUse>) {
    for (const use of uses) this.push(use);
  }

  push(use: HostUse): void {
    const heap = this.#heap;
    heap.push({ use, load: use.load });
    for (let at = heap.length - 1; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): HostUse | undefined {
    for (;;) {
      const first = this.#takeFirst();
      if (first === undefined || first.load === first.use.load) return first?.use;
      this.push(first.use);
    }
  }

  #takeFirst(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const child = left + 1 < heap.length && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (child >= heap.length || !this.#isBefore(child, at)) return first;
      this.#swap(at, child);
      at = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left === undefined || right === undefined) return false;
    return left.load < right.load || (left.load === right.load && left.use.order < right.use.order);
  }

  #swap(a: number, b: number): void {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left === undefined || right === undefined) return;
    this.#heap[a] = right;
    this.#heap[b] = left;
  }
}
