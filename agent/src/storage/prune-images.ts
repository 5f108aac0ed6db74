import { booleanFilter, matchesLabels, type Filters } from "@flotilla/engine-api";
import { formatFamiliar } from "@flotilla/image";
import type { StorageContext } from "./context.ts";
import type { ImageRecord } from "./image-records.ts";
import type { DeletedItem, PruneReport } from "./image-shapes.ts";
import { createdSeconds } from "./list-images.ts";
import { parseTimeFilter } from "./time-filter.ts";

export const PRUNE_FILTERS = ["dangling", "label", "label!", "until"] as const;

/** Removes images that no container uses: those without a tag, or with `dangling=false` all of them. */
export function pruneImages(context: StorageContext, request: { namespace: string; filters: Filters }): PruneReport {
  const { namespace, filters } = request;
  const isPrunable = makeMatcher(filters, context.nowMs());
  const isDanglingOnly = booleanFilter(filters, "dangling", true);
  const deleted: DeletedItem[] = [];
  let reclaimedBytes = 0;
  for (const record of context.records.list(namespace)) {
    const names = context.records.names(record).map((name) => name.reference);
    if (names.length === 0 && context.isHidden(namespace, record.id)) continue;
    if (isDanglingOnly && names.some((name) => name.tag !== undefined)) continue;
    if (!isPrunable(record) || context.usage(namespace, record.id).length > 0) continue;
    context.records.remove(record);
    for (const name of names) {
      deleted.push({ Untagged: formatFamiliar(name) });
      context.publish("untag", record, formatFamiliar(name));
    }
    const collected = context.collector.collect();
    reclaimedBytes += collected.sizeBytes;
    deleted.push(...[record.id, ...collected.chainIds].map((id) => ({ Deleted: id })));
    context.publish("delete", record, record.id);
  }
  context.events.publish({ namespace, type: "image", action: "prune", id: "", attributes: { reclaimed: String(reclaimedBytes) } });
  return { ImagesDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: reclaimedBytes };
}

function makeMatcher(filters: Filters, nowMs: number): (record: ImageRecord) => boolean {
  const until = (filters.get("until") ?? []).map((text) => parseTimeFilter(text, nowMs) / 1000);
  const unwanted = filters.get("label!") ?? [];
  return (record) => {
    const labels = record.config.config?.Labels ?? {};
    const isOld = until.every((limit) => createdSeconds(record) <= limit);
    return isOld && matchesLabels(labels, filters.get("label") ?? []) && !unwanted.some((label) => matchesLabels(labels, [label]));
  };
}
