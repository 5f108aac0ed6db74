import { FlotillaError, isFlotillaError } from "@flotilla/core";
import { type Filters, matchesLabels } from "@flotilla/engine-api";
import type { EngineContext } from "./context.ts";
import { isRunning } from "./record.ts";
import { removeStopped } from "./remove-container.ts";

/** Filters that `POST /containers/prune` takes. */
export const PRUNE_FILTERS: readonly string[] = ["until", "label", "label!"];

/** Removes all containers of a namespace that do not run and match. @returns their ids and the bytes of their layers. */
export async function pruneContainers(
  context: EngineContext,
  namespace: string,
  filters: Filters,
): Promise<{ ContainersDeleted: string[]; SpaceReclaimed: number }> {
  for (const key of filters.keys()) if (!PRUNE_FILTERS.includes(key)) throw new FlotillaError("invalid", `invalid filter '${key}'`);
  const untilMs = parseUntil(filters.get("until"), context.clock.nowMs());
  const unwanted = filters.get("label!") ?? [];
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const record of context.store.all(namespace)) {
    const labels = record.config.Labels ?? {};
    const isMatch =
      record.createdAtMs < untilMs &&
      matchesLabels(labels, filters.get("label") ?? []) &&
      (unwanted.length === 0 || !matchesLabels(labels, unwanted));
    if (isRunning(record) || !isMatch) continue;
    const { sizeRwBytes } = await context.images.rootfsUsage(record.id);
    try {
      await removeStopped(context, record.id, { removesVolumes: false });
    } catch (error) {
      // Started or removed by somebody else meanwhile: it is not ours to prune any more.
      if (isFlotillaError(error, "conflict") || isFlotillaError(error, "not_found")) continue;
      throw error;
    }
    deleted.push(record.id);
    reclaimed += sizeRwBytes;
  }
  context.events.publish({ namespace, type: "container", action: "prune", id: "", attributes: { reclaimed: String(reclaimed) } });
  return { ContainersDeleted: deleted, SpaceReclaimed: reclaimed };
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 };

/**
 * A point in time: a Go duration before now ("10m", "1h30m"), seconds since the epoch, or RFC 3339 and its beginnings.
 * Without values: now. @throws invalid.
 */
export function parseUntil(values: readonly string[] | undefined, nowMs: number): number {
  if (values === undefined || values.length === 0) return Number.POSITIVE_INFINITY;
  const [text = ""] = values;
  if (values.length > 1) throw new FlotillaError("invalid", "more than one until filter specified");
  if (/^(\d+(\.\d+)?(h|ms|m|s|us|µs|ns))+$/.test(text)) {
    const parts = text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)/g);
    return nowMs - [...parts].reduce((sum, [, amount = "0", unit = ""]) => sum + Number(amount) * (UNIT_MS[unit] ?? 0), 0);
  }
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new FlotillaError("invalid", `failed to parse value as time or duration: ${JSON.stringify(text)}`);
  return time;
}
