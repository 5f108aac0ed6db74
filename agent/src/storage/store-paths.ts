import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { hexOf, type Digest } from "@flotilla/image";

/** Where the image store keeps things below the agent's data directory; all on one file system, so that rename works. */
export type StorePaths = {
  blobs: string;
  layers: string;
  /** One directory per container: `upper`, `work`, `merged`. */
  rootfs: string;
  /** Half-made blobs and layers; emptied at start. */
  tmp: string;
  /** What is deleted is renamed here first; emptied in the background. */
  trash: string;
  blob(digest: Digest): string;
  layer(number: number): string;
};

/** Radix of layer directory names: 127 of them must fit the options of one mount. */
const RADIX = 36;

export function layerName(number: number): string {
  return number.toString(RADIX);
}

/** Makes the directories (0700: layers hold other people's setuid files). */
export function makeStorePaths(dataDir: string): StorePaths {
  const blobs = join(dataDir, "blobs", "sha256");
  const layers = join(dataDir, "layers");
  const rootfs = join(dataDir, "rootfs");
  const tmp = join(dataDir, "storage-tmp");
  const trash = join(dataDir, "storage-trash");
  for (const directory of [blobs, layers, rootfs, tmp, trash]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    blobs,
    layers,
    rootfs,
    tmp,
    trash,
    blob: (digest) => join(blobs, hexOf(digest)),
    layer: (number) => join(layers, layerName(number)),
  };
}
