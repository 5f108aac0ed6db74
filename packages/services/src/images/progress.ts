import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { orAbsent } from "../engine/lenient.ts";

const MAX_TEXT = 4_096;
const text = z.string().transform((value) => value.slice(0, MAX_TEXT));

/** One line of the engine's progress (`jsonmessage` of the Docker Engine API): a status of a layer, a word on the whole, or its failure. */
export const progressLine = z.looseObject({
  id: orAbsent(text),
  status: orAbsent(text),
  stream: orAbsent(text),
  progressDetail: orAbsent(z.looseObject({ current: orAbsent(z.number()), total: orAbsent(z.number()) })),
  error: orAbsent(text),
  errorDetail: orAbsent(z.looseObject({ message: orAbsent(text) })),
});

/** Bytes; `id` is a layer's short id, absent for what is said of the whole. */
export type TransferStep = { id?: string; status: string; current?: number; total?: number };

/** @throws what the engine says went wrong in the middle of its answer. */
export function toTransferStep(document: unknown): TransferStep | undefined {
  const parsed = progressLine.safeParse(document);
  if (!parsed.success) return undefined;
  const { id, status, progressDetail, error, errorDetail } = parsed.data;
  const failure = errorDetail?.message ?? error;
  if (failure !== undefined) throw new FlotillaError("internal", failure, { details: { fromEngine: true } });
  if (status === undefined || status.trim() === "") return undefined;
  const { current, total } = progressDetail ?? {};
  return {
    ...(id === undefined ? {} : { id }),
    status,
    ...(current === undefined ? {} : { current }),
    ...(total === undefined || total <= 0 ? {} : { total }),
  };
}

/** Batches hold the newest step of each layer and every word on the whole, and come at most this often. */
const BATCH_INTERVAL_MS = 250;
/** An engine that says more than this between two batches is not believed: the newest are kept. */
const MAX_STEPS = 500;

/**
 * Steps as batches, at most four a second however many the engine sends. Nothing waits for a reader: steps of a layer replace each
 * other meanwhile. Ends with its source and throws what it throws, after the last batch.
 */
export async function* batchSteps(source: AsyncIterable<TransferStep>): AsyncGenerator<{ steps: TransferStep[] }> {
  const waiting = new Map<string, TransferStep>();
  let words = 0;
  let end: { error?: unknown } | undefined;
  let wake = (): void => undefined;
  const iterator = source[Symbol.asyncIterator]();
  const read = async (): Promise<void> => {
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return;
      const key = next.value.id ?? `word ${words++}`;
      waiting.delete(key);
      if (waiting.size < MAX_STEPS) waiting.set(key, next.value);
      wake();
    }
  };
  const reading = read().then(
    () => (end = {}),
    (error: unknown) => (end = { error }),
  );
  void reading.then(() => wake());
  try {
    for (;;) {
      if (waiting.size === 0 && end === undefined) await new Promise<void>((resolve) => (wake = resolve));
      const steps = [...waiting.values()];
      waiting.clear();
      if (steps.length > 0) yield { steps };
      else if (end !== undefined) break;
      await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, BATCH_INTERVAL_MS))]);
    }
    if (end !== undefined && "error" in end) throw end.error;
  } finally {
    // Not waited for: a source that is in the middle of a read answers when its own signal ends it.
    void iterator.return?.().catch(() => undefined);
  }
}
