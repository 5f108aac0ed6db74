import type { Readable } from "node:stream";
import { chainIds, formatFamiliar, shortId } from "@flotilla/image";
import type { StorageContext } from "./context.ts";
import { goArchitecture } from "./go-architecture.ts";
import { hashText, type ImageRecord } from "./image-records.ts";
import type { Lease } from "./leases.ts";
import { planLoad, type PlannedImage } from "./load-plan.ts";
import { mapLimited } from "./map-limited.ts";
import { readArchive } from "./read-archive.ts";
import { adoptLayer, prepareLayer, type WantedLayer } from "./store-layer.ts";

/** Each is a worker process of its own. */
const PARALLEL_LAYERS = 3;

/** One line of progress, as Docker streams it. */
export type LoadProgress = { stream: string } | { status: string; id: string; progressDetail: { current: number; total: number } };

/** An archive that is on disk and makes sense: what remains is to extract it. */
export type StagedLoad = {
  /** Extracts the layers and names the images. Call once; `progress` is called as work goes on. */
  finish(progress: (message: LoadProgress) => Promise<void>): Promise<void>;
  /** Takes back what was stored. Idempotent; does nothing after `finish`. */
  abandon(): void;
};

/**
 * First half of `docker load`: takes the archive in. All that can be wrong with its form is refused here, when the
 * answer can still have a real status.
 */
export async function stageLoad(context: StorageContext, request: { namespace: string; tar: Readable }): Promise<StagedLoad> {
  const lease = context.leases.open();
  const abandon = (): void => {
    const held = lease.release();
    context.collector.collect();
    // Manifests and configurations were kept as blobs only for the time of the load.
    context.collector.discardUnknown(held);
  };
  try {
    const archive = await readArchive(context, { tar: request.tar, lease });
    const plan = await planLoad(archive, goArchitecture(process.arch));
    return {
      abandon,
      async finish(progress) {
        try {
          for (const image of plan) await loadImage(context, { namespace: request.namespace, image, lease, progress });
        } finally {
          abandon();
        }
      },
    };
  } catch (error) {
    abandon();
    throw error;
  }
}

type LoadOne = { namespace: string; image: PlannedImage; lease: Lease; progress: (message: LoadProgress) => Promise<void> };

async function loadImage(context: StorageContext, { namespace, image, lease, progress }: LoadOne): Promise<void> {
  const wanted = layersOf(image);
  for (const layer of wanted) lease.add(layer.chainId);
  await loadLayers(context, { wanted, progress });
  const layers = wanted.map(({ chainId, blobDigest }) => ({ chainId, blobDigest }));
  const record = context.records.add({ namespace, configText: image.configText, layers });
  context.publish("load", record, image.names[0] === undefined ? record.id : formatFamiliar(image.names[0]));
  if (image.names.length === 0) await progress({ stream: `Loaded image ID: ${record.id}\n` });
  for (const name of image.names) await nameImage(context, { record, name, progress });
}

function layersOf(image: PlannedImage): WantedLayer[] {
  const diffIds = image.config.rootfs.diff_ids;
  const chain = chainIds(diffIds, hashText);
  return chain.flatMap((chainId, index) => {
    const file = image.layers[index];
    const diffId = diffIds[index];
    if (file === undefined || diffId === undefined) return [];
    return [{ blobDigest: file.digest, blobBytes: file.sizeBytes, diffId, chainId, parent: chain[index - 1] ?? null }];
  });
}

/** Extracts side by side, adopts from the lowest up; when one is bad, none that is new stays. */
async function loadLayers(context: StorageContext, from: { wanted: readonly WantedLayer[]; progress: LoadOne["progress"] }): Promise<void> {
  const results = await mapLimited(from.wanted, PARALLEL_LAYERS, (layer) => prepareLayer(context, layer));
  const failed = results.find((result) => result.status === "rejected");
  const prepared = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  if (failed !== undefined) {
    for (const { loose } of prepared) if (loose !== undefined) context.layers.discard(loose);
    throw failed.reason;
  }
  for (const layer of prepared) {
    const { diffId, blobBytes } = layer.wanted;
    adoptLayer(context, layer);
    if (layer.loose === undefined) continue;
    await from.progress({ status: "Loading layer", id: shortId(diffId), progressDetail: { current: blobBytes, total: blobBytes } });
  }
}

async function nameImage(
  context: StorageContext,
  to: { record: ImageRecord; name: PlannedImage["names"][number]; progress: LoadOne["progress"] },
): Promise<void> {
  const shown = formatFamiliar(to.name);
  const before = context.records.setName(to.record, to.name);
  if (before !== undefined)
    await to.progress({ stream: `The image ${shown} already exists, renaming the old one with ID ${before} to empty string\n` });
  context.publish("tag", to.record, shown);
  await to.progress({ stream: `Loaded image: ${shown}\n` });
}
