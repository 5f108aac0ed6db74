import type { Writable } from "node:stream";
import { toFlotillaError } from "@flotilla/core";
import { writeTo } from "../api/write-to.ts";

/** One message of Docker's progress streams. */
export type ProgressMessage =
  | { status: string; id?: string; progressDetail?: { current?: number; total?: number } }
  | { aux: Readonly<Record<string, unknown>>; progressDetail?: Record<string, never> }
  | { errorDetail: { message: string }; error: string };

export type Emit = (message: ProgressMessage) => void;

/** How often one layer's counter is told. */
const COUNTER_MS = 100;

/**
 * Sends what a piece of work tells, each message ended by CR LF, at the pace of the reader; its error is the last message,
 * because the status of the answer went out before. Counters that nobody has read yet are replaced by newer ones.
 */
export async function streamProgress(sink: Writable, work: (emit: Emit) => Promise<void>, nowMs: () => number): Promise<void> {
  const queue = new ProgressQueue(nowMs);
  const done = work((message) => queue.push(message))
    .catch((error: unknown) => {
      const { message } = toFlotillaError(error);
      queue.push({ errorDetail: { message }, error: message });
    })
    .finally(() => queue.end());
  for (;;) {
    const batch = await queue.take();
    if (batch.length === 0) break;
    if (!(await writeTo(sink, batch.map((message) => `${JSON.stringify(message)}\r\n`).join("")))) break;
  }
  // A client that is gone ends the work by its signal; whoever waits for the answer waits for the work.
  await done;
}

/** Messages that wait for the reader. */
export class ProgressQueue {
  readonly #nowMs: () => number;
  readonly #toldMs = new Map<string, number>();
  #waiting: ProgressMessage[] = [];
  #wake: (() => void) | undefined;
  #isEnded = false;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  push(message: ProgressMessage): void {
    if (isCounter(message)) {
      const key = `${message.status} ${message.id}`;
      const isLast = message.progressDetail.current === message.progressDetail.total;
      const now = this.#nowMs();
      if (!isLast && now - (this.#toldMs.get(key) ?? Number.NEGATIVE_INFINITY) < COUNTER_MS) return;
      this.#toldMs.set(key, now);
      this.#waiting = this.#waiting.filter((other) => !isCounter(other) || `${other.status} ${other.id}` !== key);
    }
    this.#waiting.push(message);
    this.#wake?.();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  /** All that waits, as soon as there is something; nothing when it has ended. */
  async take(): Promise<ProgressMessage[]> {
    while (this.#waiting.length === 0 && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#waiting.splice(0);
  }
}

type Counter = { status: string; id?: string; progressDetail: { current: number; total: number } };

function isCounter(message: ProgressMessage): message is Counter {
  return "status" in message && message.progressDetail?.current !== undefined;
}
