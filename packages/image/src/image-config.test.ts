import { describe, expect, test } from "vitest";
import { chainIds } from "./chain-id.ts";
import { digestOfHex, isDigest, shortId, type Digest } from "./digest.ts";
import { alignHistory, imageConfigSchema } from "./image-config.ts";
import { indexSchema, manifestSchema } from "./manifest.ts";
import { detectCompression, layerMediaType } from "./media-types.ts";

const digest = (digit: string): Digest => digestOfHex(digit.repeat(64));

describe("digests", () => {
  test("only sha256 with 64 lower-case digits counts", () => {
    expect(isDigest(`sha256:${"a".repeat(64)}`)).toBe(true);
    for (const text of [
      `sha256:${"A".repeat(64)}`,
      `sha256:${"a".repeat(63)}`,
      `sha512:${"a".repeat(128)}`,
      "a".repeat(64),
      `sha256:${"a".repeat(64)}\n`,
    ]) {
      expect(isDigest(text)).toBe(false);
    }
    expect(shortId(digest("b"))).toBe("bbbbbbbbbbbb");
  });

  test("each chain id is made of the one below and the layer", () => {
    const asked: string[] = [];
    const hash = (text: string): Digest => {
      asked.push(text);
      return digest(String(asked.length));
    };
    expect(chainIds([digest("a"), digest("b"), digest("c")], hash)).toEqual([digest("a"), digest("1"), digest("2")]);
    expect(asked).toEqual([`${digest("a")} ${digest("b")}`, `${digest("1")} ${digest("c")}`]);
    expect(chainIds([], hash)).toEqual([]);
  });
});

describe("the image configuration", () => {
  test("may hold Go's nulls and fields nobody knows", () => {
    const config = imageConfigSchema.parse({
      architecture: "amd64",
      os: "linux",
      config: { Cmd: null, Env: null, Labels: null, ExposedPorts: { "80/tcp": {} }, ArgsEscaped: true },
      rootfs: { type: "layers", diff_ids: null },
      "moby.buildkit.cache.v0": {},
    });
    expect(config.rootfs.diff_ids).toEqual([]);
    expect(config.config?.ExposedPorts).toEqual({ "80/tcp": {} });
  });

  test.each([
    ["no layers", { architecture: "amd64", os: "linux" }],
    ["a wrong digest", { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: ["sha256:1"] } }],
    ["environment that is no list", { architecture: "amd64", os: "linux", config: { Env: "A=1" }, rootfs: { type: "layers" } }],
  ])("with %s is refused", (_, value) => {
    expect(imageConfigSchema.safeParse(value).success).toBe(false);
  });

  test("history takes the layers in order, skipping what made none, and survives a wrong count", () => {
    const config = (history: object[], layers: number): Parameters<typeof alignHistory>[0] =>
      imageConfigSchema.parse({
        architecture: "amd64",
        os: "linux",
        history,
        rootfs: { type: "layers", diff_ids: Array.from({ length: layers }, () => digest("a")) },
      });
    const indexes = (history: object[], layers: number): (number | undefined)[] =>
      alignHistory(config(history, layers)).map((item) => item.layerIndex);
    expect(indexes([{ created_by: "ADD" }, { empty_layer: true }, {}], 2)).toEqual([0, undefined, 1]);
    expect(indexes([{}, {}, {}], 1)).toEqual([0, undefined, undefined]);
    expect(indexes([], 2)).toEqual([0, 1]);
  });
});

describe("manifests", () => {
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: digest("a"), size: 2 };

  test("of OCI and Docker are the same to us", () => {
    for (const mediaType of ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"]) {
      expect(manifestSchema.parse({ schemaVersion: 2, mediaType, config, layers: [] }).config.size).toBe(2);
    }
  });

  test("with a negative size, of schema 1, or that are an index, are refused", () => {
    expect(manifestSchema.safeParse({ schemaVersion: 2, config: { ...config, size: -1 }, layers: [] }).success).toBe(false);
    expect(manifestSchema.safeParse({ schemaVersion: 1, config, layers: [] }).success).toBe(false);
    expect(
      manifestSchema.safeParse({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [] }).success,
    ).toBe(false);
    expect(indexSchema.safeParse({ schemaVersion: 2, config, layers: [] }).success).toBe(false);
  });
});

test("compression shows in the first bytes and in the media type", () => {
  expect(detectCompression(Uint8Array.of(0x1f, 0x8b, 8, 0))).toBe("gzip");
  expect(detectCompression(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd))).toBe("zstd");
  expect(detectCompression(Uint8Array.of(0x28, 0xb5))).toBe("none");
  expect(detectCompression(new Uint8Array())).toBe("none");
  expect(layerMediaType("zstd")).toBe("application/vnd.oci.image.layer.v1.tar+zstd");
});
