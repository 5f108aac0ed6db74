import { booleanFilter, matchesLabels, type Filters } from "@flotilla/engine-api";
import { familiarRepository, formatFamiliar, matchesPattern, type Reference } from "@flotilla/image";
import type { StorageContext } from "./context.ts";
import type { ImageRecord } from "./image-records.ts";
import type { ImageSummary } from "./image-shapes.ts";
import { parseTimeFilter } from "./time-filter.ts";

/** Filters of `docker images`. */
export const LIST_FILTERS = ["reference", "label", "dangling", "before", "since", "until"] as const;

export type ListRequest = {
  namespace: string;
  filters: Filters;
  withSharedSize: boolean;
  /** Also those that are there for the build cache alone. */
  withHidden?: boolean;
};

/** Images of a namespace, newest first. */
export function listImages(context: StorageContext, request: ListRequest): ImageSummary[] {
  const matches = makeMatcher(context, request);
  const sharers = request.withSharedSize ? countSharers(context, request.namespace) : undefined;
  const summaries: ImageSummary[] = [];
  for (const record of context.records.list(request.namespace)) {
    const names = context.records.names(record).map((name) => name.reference);
    if (request.withHidden !== true && names.length === 0 && context.isHidden(request.namespace, record.id)) continue;
    const shown = matches(record, names);
    if (shown !== undefined) summaries.push(summarise(context, { record, names: shown, sharers }));
  }
  return summaries.toSorted((a, b) => b.Created - a.Created || (a.Id < b.Id ? -1 : 1));
}

/** Seconds since the epoch; 0 for an image that does not say. */
export function createdSeconds(record: ImageRecord): number {
  const ms = Date.parse(record.config.created ?? "");
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

/** Bytes of the files in all layers. */
export function imageSizeBytes(context: StorageContext, record: ImageRecord): number {
  return context.records.layers(record).reduce((sum, layer) => sum + context.layers.get(layer.chainId).size_bytes, 0);
}

/** Tags and digests as Docker lists them. */
export function splitNames(names: readonly Reference[]): { tags: string[]; digests: string[] } {
  const tags = names.filter((name) => name.digest === undefined).map(formatFamiliar);
  const digests = names.filter((name) => name.digest !== undefined).map((name) => `${familiarRepository(name)}@${name.digest}`);
  return { tags, digests };
}

/** The names to show of an image that matches, undefined for one that does not. */
type Matcher = (record: ImageRecord, names: readonly Reference[]) => readonly Reference[] | undefined;

function makeMatcher(context: StorageContext, { namespace, filters }: ListRequest): Matcher {
  const created = (filter: string): number[] =>
    (filters.get(filter) ?? []).map((ref) => createdSeconds(context.records.resolve(namespace, ref).record));
  const [before, since] = [created("before"), created("since")];
  const until = (filters.get("until") ?? []).map((text) => parseTimeFilter(text, context.nowMs()) / 1000);
  const isDanglingWanted = filters.has("dangling") ? booleanFilter(filters, "dangling", false) : undefined;
  const patterns = filters.get("reference") ?? [];
  return (record, names) => {
    const seconds = createdSeconds(record);
    const isDangling = names.every((name) => name.tag === undefined);
    if (isDanglingWanted !== undefined && isDanglingWanted !== isDangling) return undefined;
    if (before.some((limit) => seconds >= limit) || since.some((limit) => seconds <= limit) || until.some((limit) => seconds > limit))
      return undefined;
    if (!matchesLabels(record.config.config?.Labels ?? {}, filters.get("label") ?? [])) return undefined;
    if (patterns.length === 0) return names;
    const shown = names.filter((name) => patterns.some((pattern) => matchesPattern(pattern, name)));
    return shown.length === 0 ? undefined : shown;
  };
}

type Summarised = { record: ImageRecord; names: readonly Reference[]; sharers: ReadonlyMap<string, number> | undefined };

function summarise(context: StorageContext, { record, names, sharers }: Summarised): ImageSummary {
  const { tags, digests } = splitNames(names);
  return {
    Id: record.id,
    ParentId: "",
    RepoTags: tags,
    RepoDigests: digests,
    Created: createdSeconds(record),
    Size: imageSizeBytes(context, record),
    SharedSize: sharers === undefined ? -1 : sharedBytes(context, record, sharers),
    Labels: record.config.config?.Labels ?? null,
    Containers: context.usage(record.namespace, record.id).length,
  };
}

/** How many images of the namespace have each layer. */
function countSharers(context: StorageContext, namespace: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const record of context.records.list(namespace)) {
    for (const chainId of new Set(context.records.layers(record).map((layer) => layer.chainId)))
      counts.set(chainId, (counts.get(chainId) ?? 0) + 1);
  }
  return counts;
}

function sharedBytes(context: StorageContext, record: ImageRecord, sharers: ReadonlyMap<string, number>): number {
  const shared = context.records.layers(record).filter((layer) => (sharers.get(layer.chainId) ?? 0) > 1);
  return shared.reduce((sum, layer) => sum + context.layers.get(layer.chainId).size_bytes, 0);
}

/** Bytes of all layers of a namespace, each counted once: `docker system df`. */
export function layersSizeBytes(context: StorageContext, namespace: string): number {
  const chains = new Set(context.records.list(namespace).flatMap((record) => context.records.layers(record).map((layer) => layer.chainId)));
  return [...chains].reduce((sum, chainId) => sum + context.layers.get(chainId).size_bytes, 0);
}
