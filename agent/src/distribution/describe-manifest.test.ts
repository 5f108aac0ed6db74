import { createHash } from "node:crypto";
import { digestOfHex, manifestSchema, MEDIA_TYPE, type Digest } from "@flotilla/image";
import { expect, test } from "vitest";
import { describeManifest } from "./describe-manifest.ts";

const digest = (text: string): Digest => digestOfHex(createHash("sha256").update(text).digest("hex"));
const layer = (name: string, compression: "gzip" | "zstd") => ({
  digest: digest(name),
  diff_id: digest(`${name} plain`),
  compression,
  size_bytes: 7,
});

test("is Docker's, byte for byte, for gzip layers", () => {
  const { bytes, mediaType } = describeManifest({ id: digest("config"), configBytes: 3, layers: [layer("a", "gzip")] });
  expect(mediaType).toBe(MEDIA_TYPE.dockerManifest);
  expect(bytes.toString()).toBe(`{
   "schemaVersion": 2,
   "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
   "config": {
      "mediaType": "application/vnd.docker.container.image.v1+json",
      "size": 3,
      "digest": "${digest("config")}"
   },
   "layers": [
      {
         "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
         "size": 7,
         "digest": "${digest("a")}"
      }
   ]
}`);
});

test("is OCI's throughout when a layer is zstd", () => {
  const { bytes, mediaType } = describeManifest({ id: digest("config"), configBytes: 3, layers: [layer("a", "gzip"), layer("b", "zstd")] });
  const manifest = manifestSchema.parse(JSON.parse(bytes.toString()));
  expect([mediaType, manifest.config.mediaType, ...manifest.layers.map((one) => one.mediaType)]).toEqual([
    MEDIA_TYPE.ociManifest,
    MEDIA_TYPE.ociConfig,
    MEDIA_TYPE.ociLayerGzip,
    MEDIA_TYPE.ociLayerZstd,
  ]);
});
