import { alignHistory, type Digest } from "@flotilla/image";
import { FlotillaError, KeyedLock } from "@flotilla/core";
import { z } from "zod";
import type { Database } from "../store/database.ts";
import type { StorageContext } from "./context.ts";
import type { ImageRecord } from "./image-records.ts";
import { type LayerChanges, MAX_ENTRIES, measureLayer } from "./layer-changes.ts";
import { Pace } from "./pace.ts";

export type ImageLayer = LayerChanges & {
  diffId: Digest;
  /** Which line of the image's history made it, counted from the oldest. */
  historyIndex: number;
  /** `created_by` of that line; "" when the history does not say. */
  instruction: string;
  /** Bytes of the layer's files, as Docker counts them. */
  sizeBytes: number;
};

/** Answer of `GET /flotilla/v1/images/NAME/layers`: lowest layer first. */
export type ImageLayers = { id: Digest; sizeBytes: number; wastedBytes: number; layers: ImageLayer[] };

/** Layers whose answer is kept, the last used ones: a few kilobytes each. */
const MAX_KEPT = 512;
/** Entries of one answer: an image of 127 layers gets fewer of each. */
const MAX_ENTRIES_OF_IMAGE = 5000;

const fileCount = z.object({ files: z.number(), bytes: z.number() });
const layerChanges = z.object({
  added: fileCount,
  changed: fileCount,
  removed: fileCount,
  wastedBytes: z.number(),
  entryCount: z.number(),
  entries: z.array(
    z.object({ path: z.string(), kind: z.enum(["added", "changed", "removed"]), sizeBytes: z.number(), hiddenBytes: z.number() }),
  ),
});

type Deps = Pick<StorageContext, "records" | "layers" | "snapshots" | "leases" | "collector" | "nowMs"> & { db: Database };

/**
 * What each layer of an image changes. A chain of layers never changes, so that what was found out is kept with it; one layer
 * of the whole agent is walked at a time.
 */
export class LayerInspector {
  readonly #deps: Deps;
  readonly #lock = new KeyedLock();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async inspect(record: ImageRecord, signal?: AbortSignal): Promise<ImageLayers> {
    const { records, layers, leases, collector } = this.#deps;
    const chainIds = records.layers(record).map((layer) => layer.chainId);
    const top = chainIds.at(-1);
    // Somebody may remove the image meanwhile.
    const lease = leases.open();
    if (top !== undefined) lease.add(top);
    try {
      const found: ImageLayer[] = [];
      const entriesEach = Math.min(MAX_ENTRIES, Math.floor(MAX_ENTRIES_OF_IMAGE / Math.max(1, chainIds.length)));
      for (const [historyIndex, { entry, layerIndex }] of alignHistory(record.config).entries()) {
        const chainId = layerIndex === undefined ? undefined : chainIds[layerIndex];
        if (chainId === undefined) continue;
        const row = layers.get(chainId);
        const changes = await this.#lock.run("walk", () => this.#changes(chainId, signal));
        const entries = changes.entries.slice(0, entriesEach);
        const instruction = entry.created_by ?? "";
        found.push({ ...changes, entries, diffId: row.diff_id, historyIndex, instruction, sizeBytes: row.size_bytes });
      }
      const sum = (pick: (layer: ImageLayer) => number): number => found.reduce((total, layer) => total + pick(layer), 0);
      return { id: record.id, sizeBytes: sum((layer) => layer.sizeBytes), wastedBytes: sum((layer) => layer.wastedBytes), layers: found };
    } finally {
      lease.release();
      collector.collect();
    }
  }

  async #changes(chainId: Digest, signal: AbortSignal | undefined): Promise<LayerChanges> {
    signal?.throwIfAborted();
    const kept = this.#find(chainId);
    if (kept !== undefined) return kept;
    const [upper, ...lowers] = this.#deps.snapshots.lowerDirs(chainId);
    if (upper === undefined) throw new FlotillaError("internal", `layer ${chainId} has no directory`);
    const changes = await measureLayer({ upper, lowers, pace: new Pace(signal) });
    this.#keep(chainId, changes);
    return changes;
  }

  /** What an older version kept in another form is found out again. */
  #find(chainId: Digest): LayerChanges | undefined {
    const { db, nowMs } = this.#deps;
    const row = db.get("SELECT changes FROM storage_layer_changes WHERE chain_id = ?", chainId);
    if (row === undefined) return undefined;
    const parsed = layerChanges.safeParse(JSON.parse(String(row["changes"])));
    if (!parsed.success) return undefined;
    db.run("UPDATE storage_layer_changes SET used_ms = ? WHERE chain_id = ?", nowMs(), chainId);
    return parsed.data;
  }

  #keep(chainId: Digest, changes: LayerChanges): void {
    const { db, nowMs } = this.#deps;
    db.transaction(() => {
      db.run(
        "INSERT OR REPLACE INTO storage_layer_changes (chain_id, changes, used_ms) VALUES (?, ?, ?)",
        chainId,
        JSON.stringify(changes),
        nowMs(),
      );
      db.run(
        "DELETE FROM storage_layer_changes WHERE chain_id NOT IN (SELECT chain_id FROM storage_layer_changes ORDER BY used_ms DESC LIMIT ?)",
        MAX_KEPT,
      );
    });
  }
}
