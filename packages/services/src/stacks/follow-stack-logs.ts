import { toFlotillaError } from "@flotilla/core";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { followLogs, type LogLine } from "../containers/follow-logs.ts";
import type { ServiceContext } from "../context.ts";
import { stackInputRef } from "./control-stack.ts";
import { sleep } from "./read-deployments.ts";
import { findSources, type ReplicaSource } from "./replica-sources.ts";

export const stackLogsInput = stackInputRef.extend({
  service: z.string().max(255).optional(),
  tail: z.int().min(0).max(10_000).default(100),
  follow: z.boolean().default(true),
});
export type StackLogLine = LogLine & { service: string; slot: string; host: string; replicaId: string };

/** Replicas that come later are found this often. */
const LOOK_MS = 2_000;
const MAX_WAITING = 64;

/** The logs of all replicas of a stack or service, over all hosts, merged as they come; new replicas join. @throws not_found. */
export async function* followStackLogs(
  services: ServiceContext,
  actor: Actor,
  request: z.output<typeof stackLogsInput> & { signal: AbortSignal },
): AsyncGenerator<{ lines: StackLogLine[] }> {
  const { signal } = request;
  const stop = new AbortController();
  const stopping = AbortSignal.any([signal, stop.signal]);
  const queue = new BatchQueue();
  const known = new Map<string, Promise<void>>();
  const look = async (): Promise<void> => {
    for (const source of await findSources(services, actor, request)) {
      if (known.has(source.containerId)) continue;
      known.set(source.containerId, pump(services, actor, { source, request, signal: stopping, queue }));
    }
  };
  try {
    await look();
    const work = request.follow ? keepLooking(look, stopping) : Promise.all(known.values());
    void Promise.resolve(work).then(
      () => queue.end(),
      () => queue.end(),
    );
    yield* queue.read(signal);
  } finally {
    stop.abort();
    await Promise.allSettled(known.values());
  }
}

async function keepLooking(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(LOOK_MS, signal);
    if (!signal.aborted) await look().catch(() => undefined);
  }
}

type Pump = { source: ReplicaSource; request: z.output<typeof stackLogsInput>; signal: AbortSignal; queue: BatchQueue };

async function pump(services: ServiceContext, actor: Actor, { source, request, signal, queue }: Pump): Promise<void> {
  const { containerId, ...from } = source;
  try {
    const batches = followLogs(services, actor, { host: source.host, id: containerId, tail: request.tail, follow: request.follow, signal });
    for await (const { lines } of batches)
      await queue.push(
        lines.map((line) => ({ ...line, ...from })),
        signal,
      );
  } catch (error) {
    if (signal.aborted) return;
    const text = `the log cannot be read: ${toFlotillaError(error).message}`;
    await queue.push([{ stream: "stderr", time: new Date(services.nowMs()).toISOString(), text, ...from }], signal);
  }
}

/** Batches from many writers for one reader; writers wait while it is full. */
class BatchQueue {
  readonly #batches: StackLogLine[][] = [];
  #isEnded = false;
  #wakeReader: () => void = () => undefined;
  #wakeWriters: (() => void)[] = [];

  async push(lines: StackLogLine[], signal: AbortSignal): Promise<void> {
    while (this.#batches.length >= MAX_WAITING && !signal.aborted && !this.#isEnded) {
      await new Promise<void>((resolve) => {
        this.#wakeWriters.push(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    this.#batches.push(lines);
    this.#wakeReader();
  }

  end(): void {
    this.#isEnded = true;
    this.#wakeReader();
  }

  async *read(signal: AbortSignal): AsyncGenerator<{ lines: StackLogLine[] }> {
    signal.addEventListener("abort", () => this.#wakeReader(), { once: true });
    while (!signal.aborted) {
      const lines = this.#batches.shift();
      if (lines !== undefined) {
        for (const wake of this.#wakeWriters.splice(0)) wake();
        yield { lines };
      } else if (this.#isEnded) return;
      else await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
  }
}
