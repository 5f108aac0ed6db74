import { MEDIA_TYPE, type Digest, type Manifest } from "@flotilla/image";
import type { BlobRow } from "../storage/schema.ts";

export type PushedManifest = { manifest: Manifest; mediaType: string; bytes: Buffer };

/**
 * The manifest of an image: Docker's schema 2 with Docker's white space, so that an image that came from there has its
 * digest again; OCI's when a layer is zstd, for which Docker's has no type.
 */
export function describeManifest(image: { id: Digest; configBytes: number; layers: readonly BlobRow[] }): PushedManifest {
  const isOci = image.layers.some((layer) => layer.compression === "zstd");
  const mediaType = isOci ? MEDIA_TYPE.ociManifest : MEDIA_TYPE.dockerManifest;
  const config = { mediaType: isOci ? MEDIA_TYPE.ociConfig : MEDIA_TYPE.dockerConfig, size: image.configBytes, digest: image.id };
  const layers = image.layers.map((layer) => ({
    mediaType: isOci ? OCI_LAYERS[layer.compression] : DOCKER_LAYERS[layer.compression],
    size: layer.size_bytes,
    digest: layer.digest,
  }));
  const manifest = { schemaVersion: 2 as const, mediaType, config, layers };
  return { manifest, mediaType, bytes: Buffer.from(JSON.stringify(manifest, undefined, 3)) };
}

const OCI_LAYERS = { none: MEDIA_TYPE.ociLayer, gzip: MEDIA_TYPE.ociLayerGzip, zstd: MEDIA_TYPE.ociLayerZstd } as const;
const DOCKER_LAYERS = { none: MEDIA_TYPE.dockerLayer, gzip: MEDIA_TYPE.dockerLayerGzip, zstd: MEDIA_TYPE.ociLayerZstd } as const;
