import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { followStats } from "../containers/follow-stats.ts";
import type { StatsSample } from "../containers/stats-sample.ts";
import type { ServiceContext } from "../context.ts";
import { stackInputRef } from "./control-stack.ts";
import { sleep } from "./read-deployments.ts";
import { findSources } from "./replica-sources.ts";

export const serviceStatsInput = stackInputRef.extend({ service: z.string().max(255) });

/** What the replicas of a service use together. `replicas`: how many said something in the last seconds. 100 is one processor. */
export type ServiceStats = { time: string; replicas: number; cpuPercent: number; memoryBytes: number };

const TELL_MS = 1_000;
/** Replicas that come later are found this often. */
const LOOK_EVERY = 5;
const STALE_MS = 4_000;

type Seen = { sample: StatsSample; atMs: number };

/** One sum a second, over all hosts, until the signal aborts. A host that cannot be asked counts with nothing. @throws not_found. */
export async function* followServiceStats(
  services: ServiceContext,
  actor: Actor,
  request: z.output<typeof serviceStatsInput> & { signal: AbortSignal },
): AsyncGenerator<ServiceStats> {
  const stop = new AbortController();
  const signal = AbortSignal.any([request.signal, stop.signal]);
  const latest = new Map<string, Seen>();
  const following = new Map<string, Promise<void>>();
  const follow = async (host: string, id: string): Promise<void> => {
    try {
      for await (const sample of followStats(services, actor, { host, id, signal })) latest.set(id, { sample, atMs: services.nowMs() });
    } catch {
      // Asked again at the next look.
    }
    following.delete(id);
  };
  try {
    for (let round = 0; !signal.aborted; round += 1) {
      if (round % LOOK_EVERY === 0) {
        for (const { host, containerId } of await findSources(services, actor, request))
          if (!following.has(containerId)) following.set(containerId, follow(host, containerId));
      }
      await sleep(TELL_MS, signal);
      if (!signal.aborted) yield sumStats([...latest.values()], services.nowMs());
    }
  } finally {
    stop.abort();
    await Promise.all(following.values());
  }
}

/** The sum of what was said lately. Pure. */
export function sumStats(seen: readonly Seen[], nowMs: number): ServiceStats {
  const fresh = seen.filter(({ atMs }) => nowMs - atMs < STALE_MS);
  const sum = (of: (sample: StatsSample) => number): number => fresh.reduce((total, { sample }) => total + of(sample), 0);
  return {
    time: new Date(nowMs).toISOString(),
    replicas: fresh.length,
    cpuPercent: Math.round(sum(({ cpuPercent }) => cpuPercent) * 100) / 100,
    memoryBytes: sum(({ memoryBytes }) => memoryBytes),
  };
}
