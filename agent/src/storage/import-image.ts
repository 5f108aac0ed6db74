import { Readable } from "node:stream";
import {
  applyChanges,
  formatFamiliar,
  parseReference,
  withDefaultTag,
  type Digest,
  type ImageConfig,
  type Reference,
} from "@flotilla/image";
import { peekArchive } from "../archive/decompress.ts";
import type { StorageContext } from "./context.ts";
import { goArchitecture } from "./go-architecture.ts";
import type { ImageRecord } from "./image-records.ts";
import type { LooseLayer } from "./layers.ts";

export type ImportRequest = {
  namespace: string;
  tar: Readable;
  /** Repository with or without tag; undefined imports without a name. */
  repository?: string;
  tag?: string;
  message: string;
  changes: readonly string[];
  architecture?: string | undefined;
  signal?: AbortSignal;
};

/**
 * `docker import`: a tar of a whole tree becomes an image of one layer. The bytes are stored, decompressed, hashed and
 * extracted in one pass.
 */
export async function importImage(context: StorageContext, request: ImportRequest): Promise<ImageRecord> {
  // Refused before gigabytes are read.
  const name = importName(request);
  const config = applyChanges({}, request.changes);
  const lease = context.leases.open();
  try {
    const { blobDigest, layer } = await storeLayer(context, { tar: request.tar, signal: request.signal, onBlob: lease.add });
    lease.add(layer.diffId);
    context.layers.adopt(layer, { chainId: layer.diffId, parent: null });
    const configText = JSON.stringify(
      imageConfig({ request, config, diffId: layer.diffId, created: new Date(context.nowMs()).toISOString() }),
    );
    const record = context.records.add({ namespace: request.namespace, configText, layers: [{ chainId: layer.diffId, blobDigest }] });
    if (name !== undefined) context.records.setName(record, name);
    context.publish("import", record, name === undefined ? record.id : formatFamiliar(name));
    if (name !== undefined) context.publish("tag", record, formatFamiliar(name));
    return record;
  } finally {
    lease.release();
    context.collector.collect();
  }
}

type StoreRequest = { tar: Readable; signal: AbortSignal | undefined; onBlob: (digest: Digest) => void };

async function storeLayer(context: StorageContext, request: StoreRequest): Promise<{ blobDigest: Digest; layer: LooseLayer }> {
  const writer = await context.blobs.create();
  let layer: LooseLayer | undefined;
  try {
    const { compression, source } = await peekArchive(request.tar, context.workers);
    const stored = Readable.from(writer.through(source), { objectMode: false });
    layer = await context.layers.extract(stored, { compression, signal: request.signal });
    const blob = await writer.commit(request.onBlob);
    context.collector.addBlob({ digest: blob.digest, diff_id: layer.diffId, compression, size_bytes: blob.sizeBytes });
    return { blobDigest: blob.digest, layer };
  } catch (error) {
    if (layer !== undefined) context.layers.discard(layer);
    request.tar.destroy();
    throw error;
  } finally {
    await writer.abort();
  }
}

function importName(request: ImportRequest): Reference | undefined {
  if (request.repository === undefined || request.repository === "") return undefined;
  const text = request.tag === undefined || request.tag === "" ? request.repository : `${request.repository}:${request.tag}`;
  return withDefaultTag(parseReference(text));
}

function imageConfig(from: { request: ImportRequest; config: ImageConfig["config"]; diffId: Digest; created: string }): ImageConfig {
  const { request, config, diffId, created } = from;
  return {
    architecture: request.architecture ?? goArchitecture(process.arch),
    os: "linux",
    config,
    created,
    comment: request.message,
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created, comment: request.message }],
  };
}
