import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { isFlotillaError } from "@flotilla/core";
import { json, type Call, type Reply, type Route } from "../api/call.ts";
import { refOf } from "../api/container-routes.ts";
import { queryBoolean } from "../api/query.ts";
import { writeTo } from "../api/write-to.ts";
import type { Containers, ContainerView } from "../engine/containers-port.ts";
import type { CgroupLayout } from "../host/cgroup.ts";
import { formatStats, type Sample, takeSample } from "./container-stats.ts";

export type StatsRouteSources = { containers: Containers; cgroups: CgroupLayout };

const INTERVAL_MS = 1_000;

export function createStatsRoutes(sources: StatsRouteSources): Route[] {
  return [{ method: "GET", path: "/containers/:id/stats", handler: (call) => stats(sources, call) }];
}

async function stats(sources: StatsRouteSources, call: Call): Promise<Reply> {
  const view = sources.containers.get(call.namespace, refOf(call));
  if (queryBoolean(call.query, "stream", true)) {
    return {
      kind: "stream",
      status: 200,
      contentType: "application/json",
      write: (sink) => streamStats(sources, view, { sink, signal: call.signal }),
    };
  }
  const first = sampleOf(sources, view);
  // Processor use is a difference: without one-shot the caller wants one that can be computed.
  if (first === undefined || queryBoolean(call.query, "one-shot")) return json(formatStats(view, first, undefined));
  await sleep(INTERVAL_MS, undefined, { signal: call.signal });
  const later = findView(sources, view);
  return json(formatStats(view, later === undefined ? undefined : sampleOf(sources, later), first));
}

/** One document a second until the container is removed or the reader is gone. */
async function streamStats(
  sources: StatsRouteSources,
  view: ContainerView,
  output: { sink: Writable; signal: AbortSignal },
): Promise<void> {
  let before: Sample | undefined;
  for (;;) {
    const current = findView(sources, view);
    if (current === undefined) return;
    const sample = sampleOf(sources, current);
    if (!(await writeTo(output.sink, `${JSON.stringify(formatStats(current, sample, before))}\n`))) return;
    before = sample;
    try {
      await sleep(INTERVAL_MS, undefined, { signal: output.signal });
    } catch {
      return;
    }
  }
}

function sampleOf(sources: StatsRouteSources, view: ContainerView): Sample | undefined {
  return view.status === "running" || view.status === "paused" ? takeSample(sources.cgroups, view) : undefined;
}

function findView(sources: StatsRouteSources, view: ContainerView): ContainerView | undefined {
  try {
    return sources.containers.get(view.namespace, view.id);
  } catch (error) {
    if (isFlotillaError(error, "not_found")) return undefined;
    throw error;
  }
}
