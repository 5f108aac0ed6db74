import { API_VERSION_MAX, API_VERSION_MIN, formatApiVersion, parseFilters } from "@flotilla/engine-api";
import { json, type Call, type Reply, type Route } from "../api/call.ts";
import { queryTimestampNano } from "../api/query.ts";
import type { EventBus } from "../events/bus.ts";
import { EVENT_FILTERS } from "./event-filter.ts";
import { streamEvents } from "./event-stream.ts";
import { readHostFacts } from "./host-facts.ts";
import { describeInfo, type InfoSources } from "./info.ts";

export type ProductFacts = {
  /** Version of Flotilla. */
  version: string;
  /** Commit it was built from, "" when unknown. */
  commit: string;
};

/** What `GET /system/df` adds up, one list per kind of object; Docker's own shapes. */
export type DiskUsage = { LayersSize: number; Images: unknown[]; Containers: unknown[]; Volumes: unknown[]; BuildCache: unknown[] };

export type SystemSources = InfoSources & {
  product: ProductFacts;
  events: EventBus;
  /** Disk usage of one namespace; `kinds` are Docker's `type` parameters, empty for all. */
  diskUsage(namespace: string, kinds: readonly string[]): Promise<DiskUsage>;
};

const PING_HEADERS = {
  "Builder-Version": "1",
  "Cache-Control": "no-cache, no-store, must-revalidate",
  Pragma: "no-cache",
  Swarm: "inactive",
} as const;

/** `_ping`, `version`, `info`, `events` and `system/df`. */
export function createSystemRoutes(sources: SystemSources): Route[] {
  const ping = (call: Call): Reply => ({ kind: "text", status: 200, body: call.method === "HEAD" ? "" : "OK", headers: PING_HEADERS });
  return [
    { method: "GET", path: "/_ping", handler: ping },
    { method: "HEAD", path: "/_ping", handler: ping },
    { method: "GET", path: "/version", handler: () => json(describeVersion(sources)) },
    { method: "GET", path: "/info", handler: async (call) => json(await describeInfo(sources, call.namespace)) },
    { method: "GET", path: "/events", handler: (call) => events(sources, call) },
    {
      method: "GET",
      path: "/system/df",
      handler: async (call) => json(await sources.diskUsage(call.namespace, call.query.getAll("type"))),
    },
  ];
}

function events(sources: SystemSources, call: Call): Reply {
  // All of it is checked before the first byte: afterwards there is no status to refuse with.
  const query = {
    namespace: call.namespace,
    filters: parseFilters(call.query.get("filters"), EVENT_FILTERS),
    sinceNano: queryTimestampNano(call.query, "since"),
    untilNano: queryTimestampNano(call.query, "until"),
  };
  return {
    kind: "stream",
    status: 200,
    contentType: "application/json",
    write: (sink) => streamEvents(sources.events, query, { sink, signal: call.signal }),
  };
}

function describeVersion(sources: SystemSources): Record<string, unknown> {
  const { version, commit } = sources.product;
  const facts = readHostFacts();
  const details = {
    ApiVersion: formatApiVersion(API_VERSION_MAX),
    Arch: facts.architecture,
    BuildTime: "",
    Experimental: "false",
    GitCommit: commit,
    KernelVersion: facts.kernelVersion,
    MinAPIVersion: formatApiVersion(API_VERSION_MIN),
    Os: "linux",
  };
  return {
    Platform: { Name: "Flotilla" },
    Components: [
      { Name: "Engine", Version: version, Details: details },
      { Name: sources.runtime.name, Version: sources.runtime.version, Details: { Path: sources.runtime.path } },
    ],
    Version: version,
    ApiVersion: details.ApiVersion,
    MinAPIVersion: details.MinAPIVersion,
    GitCommit: commit,
    Os: "linux",
    Arch: facts.architecture,
    KernelVersion: facts.kernelVersion,
  };
}
