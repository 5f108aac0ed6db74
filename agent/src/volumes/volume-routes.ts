import { booleanFilter, matchesLabels, parseFilters, type Filters } from "@flotilla/engine-api";
import { z } from "zod";
import { empty, json, type Call, type Reply, type Route } from "../api/call.ts";
import { queryBoolean } from "../api/query.ts";
import type { EventBus } from "../events/bus.ts";
import type { Volumes, VolumeView } from "./volume-store.ts";

export type VolumeRoutesDeps = { volumes: Volumes; events: EventBus };

const stringMap = z.record(z.string(), z.string()).nullish();
const VolumeCreateBody = z.object({ Name: z.string().nullish(), Driver: z.string().nullish(), DriverOpts: stringMap, Labels: stringMap });

const LIST_FILTERS = ["dangling", "driver", "label", "name"];
const PRUNE_FILTERS = ["all", "label", "label!"];
/** Before it, prune took every unused volume; since then only anonymous ones unless `all` is given. */
const ANONYMOUS_PRUNE_VERSION = 42;

/** Docker's volume calls. */
export function volumeRoutes(deps: VolumeRoutesDeps): Route[] {
  return [
    { method: "GET", path: "/volumes", handler: (call) => list(deps, call) },
    { method: "POST", path: "/volumes/create", handler: (call) => create(deps, call) },
    { method: "POST", path: "/volumes/prune", handler: (call) => prune(deps, call) },
    {
      method: "GET",
      path: "/volumes/:name",
      handler: (call) => json(toVolume(deps.volumes.get(call.namespace, call.params["name"] ?? ""))),
    },
    { method: "DELETE", path: "/volumes/:name", handler: (call) => remove(deps, call) },
  ];
}

/** Docker's `Volume`; with `usage` as `/system/df` shows it. */
export function toVolume(view: VolumeView, usage?: { sizeBytes: number }): Record<string, unknown> {
  return {
    CreatedAt: new Date(view.createdAtMs).toISOString().replace(/\.\d+Z$/, "Z"),
    Driver: "local",
    Labels: orNull(view.labels),
    Mountpoint: view.mountpoint,
    Name: view.name,
    Options: orNull(view.options),
    Scope: "local",
    ...(usage === undefined ? {} : { UsageData: { RefCount: view.users.length, Size: usage.sizeBytes } }),
  };
}

function list({ volumes }: VolumeRoutesDeps, call: Call): Reply {
  const filters = parseFilters(call.query.get("filters"), LIST_FILTERS);
  const matching = volumes.list(call.namespace).filter((view) => matches(view, filters));
  return json({ Volumes: matching.map((view) => toVolume(view)), Warnings: null });
}

function matches(view: VolumeView, filters: Filters): boolean {
  const isUnused = view.users.length === 0;
  const names = filters.get("name");
  return (
    (!filters.has("dangling") || booleanFilter(filters, "dangling", false) === isUnused) &&
    (filters.get("driver")?.includes("local") ?? true) &&
    matchesLabels(view.labels, filters.get("label") ?? []) &&
    (names === undefined || names.some((name) => view.name.includes(name)))
  );
}

async function create({ volumes }: VolumeRoutesDeps, call: Call): Promise<Reply> {
  const body = await call.json(VolumeCreateBody);
  const { name } = await volumes.create(call.namespace, {
    name: body.Name ?? "",
    driver: body.Driver ?? "",
    driverOpts: body.DriverOpts ?? {},
    labels: body.Labels ?? {},
  });
  return json(toVolume(volumes.get(call.namespace, name)), 201);
}

async function remove({ volumes }: VolumeRoutesDeps, call: Call): Promise<Reply> {
  await volumes.remove(call.namespace, call.params["name"] ?? "", { force: queryBoolean(call.query, "force") });
  return empty(204);
}

async function prune({ volumes, events }: VolumeRoutesDeps, call: Call): Promise<Reply> {
  const filters = parseFilters(call.query.get("filters"), PRUNE_FILTERS);
  const [, minor] = call.version;
  const isAll = booleanFilter(filters, "all", minor < ANONYMOUS_PRUNE_VERSION);
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const view of volumes.list(call.namespace).filter((candidate) => isPrunable(candidate, { filters, isAll }))) {
    const sizeBytes = await volumes.sizeBytes(call.namespace, view.name);
    try {
      await volumes.remove(call.namespace, view.name);
    } catch {
      // Taken into use, or removed, since it was listed.
      continue;
    }
    deleted.push(view.name);
    reclaimed += sizeBytes;
  }
  events.publish({ namespace: call.namespace, type: "volume", action: "prune", id: "", attributes: { reclaimed: String(reclaimed) } });
  return json({ VolumesDeleted: deleted, SpaceReclaimed: reclaimed });
}

function isPrunable(view: VolumeView, { filters, isAll }: { filters: Filters; isAll: boolean }): boolean {
  const unwanted = filters.get("label!");
  return (
    view.users.length === 0 &&
    (isAll || view.isAnonymous) &&
    matchesLabels(view.labels, filters.get("label") ?? []) &&
    (unwanted === undefined || !matchesLabels(view.labels, unwanted))
  );
}

const orNull = (map: Readonly<Record<string, string>>): Readonly<Record<string, string>> | null =>
  Object.keys(map).length === 0 ? null : map;
