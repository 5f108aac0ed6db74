import { FlotillaError } from "@flotilla/core";
import { booleanFilter, type Filters, matchesLabels } from "@flotilla/engine-api";
import { parsePort } from "./port-specs.ts";
import type { ContainerRecord } from "./record.ts";

export type ListFilters = {
  values: Filters;
  exitCodes: readonly number[];
  before: readonly ContainerRecord[];
  since: readonly ContainerRecord[];
  /** Ids of the images named by `ancestor`. */
  ancestors: ReadonlySet<string>;
  publish: readonly PortRange[];
  expose: readonly PortRange[];
  isTask: boolean | undefined;
  /** `docker ps -f status=exited` shows stopped containers without -a. */
  looksAtStopped: boolean;
};

type PortRange = { first: number; last: number; protocol: string };

export type FilterLookups = {
  find(ref: string): ContainerRecord;
  imageIdOf(reference: string): string | undefined;
};

const STATUSES: readonly string[] = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const HEALTHS: readonly string[] = ["starting", "healthy", "unhealthy", "none"];

/** Filters that `GET /containers/json` takes. */
export const LIST_FILTERS: readonly string[] = [
  "ancestor", "before", "exited", "expose", "health", "id", "isolation", "is-task", "label", "name", "network", "publish", "since",
  "status", "volume",
]; // prettier-ignore

/** Checks and resolves the values of the filters. @throws invalid in Docker's words; not_found for `before` and `since`. */
export function parseListFilters(values: Filters, lookups: FilterLookups): ListFilters {
  for (const key of values.keys()) if (!LIST_FILTERS.includes(key)) throw new FlotillaError("invalid", `invalid filter '${key}'`);
  const of = (key: string): readonly string[] => values.get(key) ?? [];
  for (const status of of("status")) if (!STATUSES.includes(status)) throw invalidFilter("status", status);
  for (const health of of("health")) if (!HEALTHS.includes(health)) throw invalidFilter("health", health);
  const exitCodes = of("exited").map((text) => {
    if (!/^-?\d+$/.test(text)) throw invalidFilter("exited", text);
    return Number(text);
  });
  return {
    values,
    exitCodes,
    before: of("before").map((ref) => lookups.find(ref)),
    since: of("since").map((ref) => lookups.find(ref)),
    ancestors: new Set(of("ancestor").flatMap((reference) => lookups.imageIdOf(reference) ?? [])),
    publish: of("publish").map((text) => parsePortRange("publish", text)),
    expose: of("expose").map((text) => parsePortRange("expose", text)),
    isTask: values.has("is-task") ? booleanFilter(values, "is-task", false) : undefined,
    looksAtStopped: values.has("status") || exitCodes.length > 0,
  };
}

const invalidFilter = (key: string, value: string): FlotillaError => new FlotillaError("invalid", `invalid filter '${key}=${value}'`);

function parsePortRange(key: string, text: string): PortRange {
  const [ports = "", protocol = "tcp"] = text.split("/");
  const [low = "", high = low] = ports.split("-");
  const first = Number(low);
  const last = Number(high);
  if (!/^\d+(-\d+)?$/.test(ports) || last < first || last > 65_535) throw invalidFilter(key, text);
  return { first, last, protocol };
}

/** Whether a container satisfies every filter; of several values of one filter any may match (labels: all must). */
export function matchesFilters(record: ContainerRecord, filters: ListFilters): boolean {
  const matchesAny = (key: string, test: (value: string) => boolean): boolean => filters.values.get(key)?.some(test) ?? true;
  return (
    matchesAny("id", (value) => record.id.startsWith(value)) &&
    matchesAny("name", (value) => matchesName(record.name, value)) &&
    matchesLabels(record.config.Labels ?? {}, filters.values.get("label") ?? []) &&
    matchesAny("status", (value) => record.status === value) &&
    matchesAny("health", (value) => (record.health?.Status ?? "none") === value) &&
    matchesExit(record, filters.exitCodes) &&
    filters.before.every((other) => record.createdAtMs < other.createdAtMs) &&
    filters.since.every((other) => record.createdAtMs > other.createdAtMs) &&
    (!filters.values.has("ancestor") || filters.ancestors.has(record.imageId)) &&
    matchesAny("volume", (value) =>
      record.mounts.some((mount) => mount.name === value || mount.destination === value || mount.source === value),
    ) &&
    matchesAny("network", (value) => matchesNetwork(record, value)) &&
    matchesPorts(publishedPorts(record), filters.publish) &&
    matchesPorts(exposedPorts(record), filters.expose) &&
    filters.isTask !== true
  );
}

/** Docker matches names as regular expressions, with and without the slash; what is no expression matches as text. */
function matchesName(name: string, pattern: string): boolean {
  try {
    const expression = new RegExp(pattern);
    return expression.test(name) || expression.test(`/${name}`);
  } catch {
    return name.includes(pattern);
  }
}

function matchesExit(record: ContainerRecord, codes: readonly number[]): boolean {
  if (codes.length === 0) return true;
  return (record.status === "exited" || record.status === "dead") && codes.includes(record.exitCode);
}

function matchesNetwork(record: ContainerRecord, value: string): boolean {
  const { NetworkMode: mode } = record.hostConfig;
  if (mode === value) return true;
  const live = record.attachment?.endpoints ?? [];
  return (
    record.endpoints.some((endpoint) => endpoint.networkName === value) ||
    live.some((endpoint) => endpoint.networkName === value || endpoint.networkId.startsWith(value))
  );
}

type Port = { port: number; protocol: string };

const publishedPorts = (record: ContainerRecord): Port[] =>
  (record.attachment?.ports ?? []).map((port) => ({ port: port.hostPort, protocol: port.protocol }));

function exposedPorts(record: ContainerRecord): Port[] {
  const exposed = Object.keys(record.config.ExposedPorts ?? {}).map(parsePort);
  return [...exposed, ...(record.attachment?.ports ?? []).map((port) => ({ port: port.containerPort, protocol: port.protocol }))];
}

function matchesPorts(ports: readonly Port[], ranges: readonly PortRange[]): boolean {
  if (ranges.length === 0) return true;
  return ports.some(({ port, protocol }) =>
    ranges.some((range) => protocol === range.protocol && port >= range.first && port <= range.last),
  );
}
