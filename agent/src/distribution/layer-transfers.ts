import type { Digest } from "@flotilla/image";
import type { PullProgress } from "@flotilla/registry";
import type { Descriptor } from "@flotilla/image";
import type { StorageContext } from "../storage/context.ts";
import { fetchLayer, type FetchedLayer } from "./fetch-layer.ts";
import { Limiter } from "./limiter.ts";
import type { PartialBlobs } from "./partial-blobs.ts";
import type { SharedRepository } from "./shared-repository.ts";

export type WantedLayer = { namespace: string; blob: Descriptor; diffId: Digest; chainId: Digest };

/** One pull's hold on a transfer. */
export type TransferHold = {
  /** Settles when the layer is extracted beside the store and its blob verified. */
  done: Promise<void>;
  /** Gives the layer and its blob their places; the layers below have theirs. The caller leases both. */
  adopt(parent: Digest | null): void;
  /** The last one to let go ends a transfer that is under way. Settles when nothing of it is left but the partial blob. */
  release(): Promise<void>;
};

type Transfer = {
  wanted: WantedLayer;
  holders: number;
  stop: AbortController;
  listeners: Set<(progress: PullProgress) => void>;
  fetched: FetchedLayer | undefined;
  done: Promise<void>;
};

/** As many as Docker downloads at a time. Each is a worker process of its own. */
const PARALLEL_TRANSFERS = 3;

/** Layers on their way. Pulls of a namespace that want the same layer share one transfer. */
export class LayerTransfers {
  readonly #context: StorageContext;
  readonly #partials: PartialBlobs;
  readonly #limiter = new Limiter(PARALLEL_TRANSFERS);
  readonly #transfers = new Map<string, Transfer>();

  constructor(context: StorageContext, partials: PartialBlobs) {
    this.#context = context;
    this.#partials = partials;
  }

  /** Joins the transfer of a layer or begins it. */
  hold(wanted: WantedLayer, from: SharedRepository, onProgress: (progress: PullProgress) => void): TransferHold {
    const key = `${wanted.namespace} ${wanted.chainId} ${wanted.blob.digest}`;
    const transfer = this.#transfers.get(key) ?? this.#begin(key, wanted, from);
    transfer.holders++;
    transfer.listeners.add(onProgress);
    if (this.#limiter.isFull) onProgress({ status: "Waiting", digest: wanted.blob.digest });
    let isReleased = false;
    return {
      done: transfer.done,
      adopt: (parent) => this.#adopt(transfer, parent),
      release: async () => {
        if (isReleased) return;
        isReleased = true;
        transfer.listeners.delete(onProgress);
        if (--transfer.holders === 0) await this.#end(key, transfer);
      },
    };
  }

  #begin(key: string, wanted: WantedLayer, from: SharedRepository): Transfer {
    const transfer: Transfer = {
      wanted,
      holders: 0,
      stop: new AbortController(),
      listeners: new Set(),
      fetched: undefined,
      done: Promise.resolve(),
    };
    transfer.done = this.#run(transfer, from);
    // Whoever holds it awaits it; those that left before do not.
    transfer.done.catch(() => undefined);
    this.#transfers.set(key, transfer);
    return transfer;
  }

  async #run(transfer: Transfer, from: SharedRepository): Promise<void> {
    const { wanted, stop, listeners } = transfer;
    const { namespace, blob } = wanted;
    const onProgress = (progress: PullProgress): void => {
      for (const listener of listeners) listener(progress);
    };
    const release = from.retain();
    try {
      await this.#limiter.run(async () => {
        stop.signal.throwIfAborted();
        transfer.fetched = await this.#partials.use(namespace, blob, (partial) => {
          return fetchLayer(this.#context, from.repository, { ...wanted, partial, onProgress, signal: stop.signal });
        });
      });
      // The next layer comes meanwhile.
      await this.#partials.sync(namespace, blob.digest);
    } finally {
      release();
    }
  }

  #adopt(transfer: Transfer, parent: Digest | null): void {
    const { wanted, fetched } = transfer;
    const { namespace, blob, chainId, diffId } = wanted;
    const { layers, blobs, collector } = this.#context;
    if (fetched === undefined) return;
    if (fetched.loose !== undefined) layers.adopt(fetched.loose, { chainId, parent });
    transfer.fetched = { ...fetched, loose: undefined };
    this.#partials.take(namespace, blob.digest, (path) => blobs.adopt(path, blob.digest));
    collector.addBlob({ digest: blob.digest, diff_id: diffId, compression: fetched.compression, size_bytes: blob.size });
  }

  async #end(key: string, transfer: Transfer): Promise<void> {
    if (this.#transfers.get(key) === transfer) this.#transfers.delete(key);
    transfer.stop.abort();
    await transfer.done.catch(() => undefined);
    const loose = transfer.fetched?.loose;
    if (loose !== undefined) this.#context.layers.discard(loose);
  }
}
