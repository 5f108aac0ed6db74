import { expect, test } from "vitest";
import type { BuildLayer } from "../storage/build-images.ts";
import { addStep, configTextOf, inOrder, stageOnBase, type StageImage } from "./compose-image.ts";
import { cacheKey } from "./build-store.ts";

const LAYER: BuildLayer = {
  chainId: `sha256:${"1".repeat(64)}`,
  diffId: `sha256:${"2".repeat(64)}`,
  blobDigest: `sha256:${"2".repeat(64)}`,
};

function scratch(config: StageImage["stage"]["config"] = {}): StageImage {
  const stage = { config, isCmdSet: false, author: undefined, args: new Map() };
  return stageOnBase(undefined, { stage, platform: { os: "linux", architecture: "amd64" } });
}

test("a step without a layer is an empty line of history, one with a layer is not", () => {
  const first = addStep(scratch(), { createdBy: "ENV A=1", created: "2026-01-01T00:00:00.000Z", layer: undefined });
  const second = addStep({ ...first, image: undefined }, { createdBy: "COPY", created: "2026-01-02T00:00:00.000Z", layer: LAYER });
  expect(JSON.parse(configTextOf(second))).toEqual({
    architecture: "amd64",
    config: {},
    created: "2026-01-02T00:00:00.000Z",
    history: [
      { created: "2026-01-01T00:00:00.000Z", created_by: "ENV A=1", empty_layer: true },
      { created: "2026-01-02T00:00:00.000Z", created_by: "COPY" },
    ],
    os: "linux",
    rootfs: { type: "layers", diff_ids: [LAYER.diffId] },
  });
});

test("the order in which a configuration came about does not show in its text", () => {
  const text = (config: StageImage["stage"]["config"]): string => configTextOf(scratch(config));
  expect(text({ User: "a", Env: ["A=1"], Cmd: null })).toBe(text({ Env: ["A=1"], User: "a" }));
  expect(inOrder({ WorkingDir: "/", Labels: undefined })).toEqual({ WorkingDir: "/" });
});

test("a cache key tells apart what a joined text would not", () => {
  expect(cacheKey(["a", "bc"])).not.toBe(cacheKey(["ab", "c"]));
  expect(cacheKey([null, ["x"]])).toBe(cacheKey([null, ["x"]]));
});
