import { alignHistory, formatFamiliar } from "@flotilla/image";
import type { StorageContext } from "./context.ts";
import type { ImageRecord } from "./image-records.ts";
import type { HistoryItem, ImageInspect } from "./image-shapes.ts";
import { imageSizeBytes, splitNames } from "./list-images.ts";

const ZERO_TIME = "0001-01-01T00:00:00Z";

/** `GET /images/NAME/json`. */
export function inspectImage(context: StorageContext, record: ImageRecord): ImageInspect {
  const names = context.records.names(record);
  const { tags, digests } = splitNames(names.map((name) => name.reference));
  const lastTaggedMs = Math.max(0, ...names.map((name) => name.taggedMs));
  const { config } = record;
  return {
    Id: record.id,
    RepoTags: tags,
    RepoDigests: digests,
    Parent: "",
    Comment: config.comment ?? "",
    Created: config.created ?? ZERO_TIME,
    DockerVersion: config.docker_version ?? "",
    Author: config.author ?? "",
    Config: inspectConfig(record),
    Architecture: config.architecture,
    ...(config.variant == null ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: imageSizeBytes(context, record),
    GraphDriver: { Name: "overlay2", Data: graphData(context, record) },
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: lastTaggedMs === 0 ? ZERO_TIME : new Date(lastTaggedMs).toISOString() },
  };
}

/** The container configuration with the fields Docker always sends. */
function inspectConfig(record: ImageRecord): Record<string, unknown> {
  const run = record.config.config ?? {};
  const optional = { ExposedPorts: run.ExposedPorts, Healthcheck: run.Healthcheck, StopSignal: run.StopSignal, Shell: run.Shell };
  return {
    Hostname: "",
    Domainname: "",
    User: run.User ?? "",
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: run.Env ?? null,
    Cmd: run.Cmd ?? null,
    Image: "",
    Volumes: run.Volumes ?? null,
    WorkingDir: run.WorkingDir ?? "",
    Entrypoint: run.Entrypoint ?? null,
    OnBuild: run.OnBuild ?? null,
    Labels: run.Labels ?? null,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value != null)),
  };
}

function graphData(context: StorageContext, record: ImageRecord): Record<string, string> | null {
  const [top, ...lower] = context.records
    .layers(record)
    .map((layer) => context.paths.layer(context.layers.get(layer.chainId).number))
    .toReversed();
  if (top === undefined) return null;
  return lower.length === 0 ? { UpperDir: top } : { LowerDir: lower.join(":"), UpperDir: top };
}

/** `GET /images/NAME/history`, newest first. Only the image itself has an id: intermediate images do not exist. */
export function imageHistory(context: StorageContext, record: ImageRecord): HistoryItem[] {
  const layers = context.records.layers(record);
  const tags = context.records.names(record).filter((name) => name.reference.digest === undefined);
  const items = alignHistory(record.config).map(({ entry, layerIndex }): HistoryItem => {
    const layer = layerIndex === undefined ? undefined : layers[layerIndex];
    const createdMs = Date.parse(entry.created ?? "");
    return {
      Id: "<missing>",
      Created: Number.isNaN(createdMs) ? 0 : Math.floor(createdMs / 1000),
      CreatedBy: entry.created_by ?? "",
      Tags: null,
      Size: layer === undefined ? 0 : context.layers.get(layer.chainId).size_bytes,
      Comment: entry.comment ?? "",
    };
  });
  const [newest, ...older] = items.toReversed();
  if (newest === undefined) return [];
  return [{ ...newest, Id: record.id, Tags: tags.length === 0 ? null : tags.map((name) => formatFamiliar(name.reference)) }, ...older];
}
