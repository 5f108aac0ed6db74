import { parseTime, shortId } from "./format.ts";

type ImageSummary = { Id: string; RepoTags: readonly string[]; RepoDigests: readonly string[]; host: { id: string; name: string } };

const NO_TAG = "<none>:<none>";

/** Names of an image; none for one that lost its tags. */
export function imageNames(image: Pick<ImageSummary, "RepoTags">): string[] {
  return image.RepoTags.filter((tag) => tag !== NO_TAG);
}

/** What to call an image: its first tag, else its short id. */
export function imageLabel(image: Pick<ImageSummary, "Id" | "RepoTags">): string {
  return imageNames(image)[0] ?? shortId(image.Id);
}

export function imageHref(image: Pick<ImageSummary, "Id" | "host">): string {
  return `/images/${encodeURIComponent(image.host.name)}/${encodeURIComponent(image.Id)}`;
}

/** The containers of an image on its host: the list finds them by the image's id, whatever its name is now. */
export function containersHref(image: Pick<ImageSummary, "Id" | "host">): string {
  return `/containers?host=${encodeURIComponent(image.host.name)}&q=${shortId(image.Id)}`;
}

/** Sorts images by their last use: those that were never used first, then those of which it is not known. */
export function lastUsedOrder(image: { lastUsedAt: string | null; isNeverUsed: boolean }): number {
  if (image.isNeverUsed) return -1;
  return parseTime(image.lastUsedAt) ?? 0;
}

export type HistoryEntry = { CreatedBy: string; Size: number };

export type LayerRow = {
  instruction: string;
  bytes: number;
  sharePercent: number;
  isEmpty: boolean;
  /** Its place in the image's history, counted from the oldest: layers name it. */
  historyIndex: number;
};

/**
 * A history as people wrote it: instructions of a Dockerfile without the shell around them, each with its share of the image. Newest
 * first, as Docker gives them.
 */
export function layerRows(history: readonly HistoryEntry[]): LayerRow[] {
  const total = history.reduce((sum, entry) => sum + entry.Size, 0);
  return history.map((entry, index) => ({
    instruction: readableInstruction(entry.CreatedBy),
    bytes: entry.Size,
    sharePercent: total > 0 ? (entry.Size / total) * 100 : 0,
    isEmpty: entry.Size === 0,
    historyIndex: history.length - 1 - index,
  }));
}

function readableInstruction(createdBy: string): string {
  const text = createdBy.replace(/\s+# buildkit$/, "").trim();
  const nop = /^\/bin\/sh -c #\(nop\)\s*(.*)$/s.exec(text);
  if (nop?.[1] !== undefined) return nop[1].trim();
  return text.replace(/^(?:RUN )?\/bin\/sh -c /, "RUN ");
}

/** Whether a text can be an image's name: `[registry[:port]/]path[:tag][@digest]`. The engine decides; this finds slips of the hand. */
export function isImageReference(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9._:-]*(\/[a-zA-Z0-9._-]+)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/.test(text) && !text.includes("//");
}
