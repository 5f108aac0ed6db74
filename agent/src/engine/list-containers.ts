import { FlotillaError } from "@flotilla/core";
import type { ContainerSummary, Filters, PortSummary } from "@flotilla/engine-api";
import type { EngineContext } from "./context.ts";
import { mountPoint, networksOf } from "./inspect-container.ts";
import { matchesFilters, parseListFilters } from "./list-filters.ts";
import { type ContainerRecord, isRunning } from "./record.ts";
import { formatStatus } from "./status-text.ts";

export type ListOptions = { all: boolean; limit: number; size: boolean; filters: Filters };

/** Rows of `docker ps`, newest first. A limit, and filters on state, look at stopped containers too. */
export async function listContainers(context: EngineContext, namespace: string, options: ListOptions): Promise<ContainerSummary[]> {
  const records = context.store.all(namespace);
  const filters = parseListFilters(options.filters, {
    find: (ref) => findRecord(context, namespace, ref),
    imageIdOf: (reference) => findImageId(context, namespace, reference),
  });
  const showsStopped = options.all || options.limit > 0 || filters.looksAtStopped;
  const matching = records.filter((record) => (showsStopped || isRunning(record)) && matchesFilters(record, filters));
  const shown = options.limit > 0 ? matching.slice(0, options.limit) : matching;
  return await Promise.all(shown.map((record) => summarise(context, record, options.size)));
}

/** `before` and `since` name a container that must be there. @throws not_found. */
function findRecord(context: EngineContext, namespace: string, ref: string): ContainerRecord {
  return context.store.get(namespace, ref);
}

function findImageId(context: EngineContext, namespace: string, reference: string): string | undefined {
  try {
    return context.images.resolve(namespace, reference).id;
  } catch (error) {
    if (error instanceof FlotillaError) return undefined;
    throw error;
  }
}

async function summarise(context: EngineContext, record: ContainerRecord, withSize: boolean): Promise<ContainerSummary> {
  const size = withSize ? await context.images.rootfsUsage(record.id) : undefined;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: imageText(context, record),
    ImageID: record.imageId,
    Command: [record.path, ...record.args].map(quoteWord).join(" "),
    Created: Math.trunc(record.createdAtMs / 1000),
    Ports: portSummaries(record),
    ...(size === undefined ? {} : { SizeRw: size.sizeRwBytes, SizeRootFs: size.sizeRootBytes }),
    Labels: record.config.Labels ?? {},
    State: record.status,
    Status: formatStatus(record, context.clock.nowMs()),
    HostConfig: { NetworkMode: record.hostConfig.NetworkMode },
    NetworkSettings: { Networks: networksOf(record) },
    Mounts: record.mounts
      .filter((mount) => mount.type !== "tmpfs" || mount.isMountRequest)
      .map((mount) => mountPoint(context, record, mount)),
  };
}

/** The name it was created by; the image's id when that name now means another image. */
function imageText(context: EngineContext, record: ContainerRecord): string {
  const now = findImageId(context, record.namespace, record.config.Image);
  return now === record.imageId ? record.config.Image : record.imageId;
}

const quoteWord = (word: string): string => (word.includes(" ") ? `'${word}'` : word);

function portSummaries(record: ContainerRecord): PortSummary[] {
  if (!isRunning(record) || record.attachment === null) return [];
  const published = record.attachment.ports.map((port) => ({
    IP: port.hostIp === "" ? "0.0.0.0" : port.hostIp,
    PrivatePort: port.containerPort,
    PublicPort: port.hostPort,
    Type: port.protocol as string,
  }));
  const exposed = Object.keys(record.config.ExposedPorts ?? {}).flatMap((key) => {
    const [port = "", type = "tcp"] = key.split("/");
    const isPublished = published.some((entry) => String(entry.PrivatePort) === port && entry.Type === type);
    return isPublished || !/^\d+$/.test(port) ? [] : [{ PrivatePort: Number(port), Type: type }];
  });
  return [...exposed, ...published];
}
