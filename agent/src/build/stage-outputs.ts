import type { BuildEvent, BuildSink } from "./build-types.ts";

/** A stage that is ahead of its turn waits when it has this much to tell. */
const MAX_WAITING_CHARS = 4 * 1024 * 1024;

/**
 * Stages are built beside each other but told one after the other, in their order: so the output of a build is the same
 * whichever stage was faster, and reads as Docker's, which builds them in turn.
 */
export class StageOutputs {
  readonly #sink: BuildSink;
  readonly #stages: { waiting: BuildEvent[]; chars: number; isDone: boolean; wake: (() => void)[] }[];
  #turn = 0;
  #tail: Promise<void> = Promise.resolve();

  constructor(sink: BuildSink, count: number) {
    this.#sink = sink;
    this.#stages = Array.from({ length: count }, () => ({ waiting: [], chars: 0, isDone: false, wake: [] }));
  }

  /** The sink of one stage, by its place in the order. */
  sinkOf(place: number): BuildSink {
    return async (event) => {
      const stage = this.#stages[place];
      if (stage === undefined) return;
      if (place === this.#turn) return await this.#send(event);
      stage.waiting.push(event);
      stage.chars += event.kind === "output" ? event.text.length : 64;
      if (stage.chars > MAX_WAITING_CHARS) await new Promise<void>((resolve) => stage.wake.push(resolve));
    };
  }

  /** Says that a stage has told everything; settles when it is written, as far as its turn has come. */
  async finish(place: number): Promise<void> {
    const stage = this.#stages[place];
    if (stage !== undefined) stage.isDone = true;
    for (let next = this.#stages[this.#turn]; next?.isDone === true; next = this.#stages[this.#turn]) {
      this.#turn += 1;
      const following = this.#stages[this.#turn];
      for (const event of following?.waiting.splice(0) ?? []) void this.#send(event);
      for (const wake of following?.wake.splice(0) ?? []) wake();
    }
    await this.#tail;
  }

  /** What a failed stage has told so far comes out at once: the error stands behind it. */
  async fail(place: number): Promise<void> {
    for (const event of place > this.#turn ? (this.#stages[place]?.waiting.splice(0) ?? []) : []) void this.#send(event);
    for (const stage of this.#stages) for (const wake of stage.wake.splice(0)) wake();
    await this.#tail;
  }

  #send(event: BuildEvent): Promise<void> {
    this.#tail = this.#tail.then(() => this.#sink(event));
    return this.#tail;
  }
}
