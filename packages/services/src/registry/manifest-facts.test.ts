import { describe, expect, test } from "vitest";
import { readManifestFacts } from "./manifest-facts.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
const part = (digit: string, mediaType = "application/vnd.oci.image.layer.v1.tar"): Record<string, unknown> => ({
  mediaType,
  digest: `sha256:${digit.repeat(64)}`,
  size: 5,
});
const bytes = (json: unknown): Uint8Array => Buffer.from(JSON.stringify(json));
const image = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  schemaVersion: 2,
  config: part("c", "application/vnd.example.config"),
  layers: [part("1"), part("1"), part("2")],
  ...more,
});

describe("readManifestFacts", () => {
  test("an image names each of its blobs once, and its type may be in the header alone", () => {
    const facts = readManifestFacts(bytes(image()), `${MANIFEST}; charset=utf-8`);
    expect(facts).toMatchObject({ mediaType: MANIFEST, isIndex: false, artifactType: "application/vnd.example.config", subject: null });
    expect(facts.blobs.map((blob) => blob.digest[7])).toEqual(["c", "1", "2"]);
    expect(readManifestFacts(bytes(image({ mediaType: DOCKER })), undefined).mediaType).toBe(DOCKER);
  });

  test("layers that are fetched elsewhere need not be here", () => {
    const foreign = part("9", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
    const facts = readManifestFacts(bytes(image({ layers: [part("1"), foreign] })), MANIFEST);
    expect([facts.blobs.length, facts.layers.length]).toEqual([2, 2]);
  });

  test("an index names manifests, with their platform", () => {
    const child = { ...part("3", MANIFEST), platform: { os: "linux", architecture: "arm64", variant: "v8" } };
    const facts = readManifestFacts(bytes({ schemaVersion: 2, mediaType: INDEX, manifests: [child], annotations: { a: "b" } }), INDEX);
    expect(facts).toMatchObject({
      isIndex: true,
      artifactType: null,
      annotations: { a: "b" },
      manifests: [{ platform: "linux/arm64/v8" }],
    });
  });

  test.each([
    ["a type that header and document disagree on", image({ mediaType: DOCKER }), MANIFEST],
    ["a document that is both an image and an index", image({ manifests: [] }), MANIFEST],
    ["an index with layers", { schemaVersion: 2, manifests: [], layers: [] }, INDEX],
    ["schema 1", { schemaVersion: 1 }, "application/vnd.docker.distribution.manifest.v1+json"],
    ["a negative size", image({ layers: [{ ...part("1"), size: -1 }] }), MANIFEST],
    ["a digest that is none", image({ layers: [{ ...part("1"), digest: "sha256:../../x" }] }), MANIFEST],
    ["no layers at all", { schemaVersion: 2, config: part("c") }, MANIFEST],
    ["null", null, MANIFEST],
  ])("%s is refused", (_title, json, type) => {
    expect(() => readManifestFacts(bytes(json), type)).toThrow(/manifest|index/);
  });

  test("bytes that are no UTF-8 are refused", () => {
    expect(() => readManifestFacts(Uint8Array.of(0xff, 0xfe), MANIFEST)).toThrow(/not JSON/);
  });
});
