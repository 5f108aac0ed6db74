import type { Step } from "@flotilla/dockerfile";
import type { Digest, HistoryEntry, ImageConfig } from "@flotilla/image";
import { describe, expect, test } from "vitest";
import type { BuildImage, BuildLayer } from "../storage/build-images.ts";
import { isToldByHistory, nextInSources } from "./cache-sources.ts";
import type { StageImage } from "./compose-image.ts";

const digest = (text: string): Digest => `sha256:${text.repeat(64).slice(0, 64)}`;
const layer = (name: string): BuildLayer => ({ chainId: digest(name), diffId: digest(name), blobDigest: digest(name) });
const line = (createdBy: string, isEmpty = false): HistoryEntry => ({
  created: `2026-01-01T00:00:00Z`,
  created_by: createdBy,
  ...(isEmpty ? { empty_layer: true } : {}),
});

function image(history: HistoryEntry[], layers: BuildLayer[], platform: Partial<ImageConfig> = {}): BuildImage {
  const config: ImageConfig = {
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history,
    ...platform,
  };
  return { id: digest("f"), config, layers, createdMs: 0 };
}

function stage(history: HistoryEntry[], layers: BuildLayer[]): StageImage {
  return {
    stage: { config: {}, isCmdSet: false, author: undefined, args: new Map() },
    platform: { os: "linux", architecture: "amd64" },
    layers,
    history,
    created: undefined,
    image: undefined,
  };
}

const config = (createdBy: string): Step => ({ kind: "config", createdBy });
const SOURCE = image([line("base"), line("ENV A=1", true), line("RUN a"), line("RUN b")], [layer("1"), layer("2"), layer("3")]);

describe("the next step of a source", () => {
  test("is found where history and layers are the same so far", () => {
    const atBase = stage([line("base")], [layer("1")]);
    expect(nextInSources([SOURCE], atBase, config("ENV A=1"))).toEqual({ created: "2026-01-01T00:00:00Z", layer: undefined });
    const later = stage([line("base"), line("ENV A=1", true)], [layer("1")]);
    expect(nextInSources([SOURCE], later, config("RUN a"))?.layer).toEqual(layer("2"));
    const last = stage([...later.history, line("RUN a")], [layer("1"), layer("2")]);
    expect(nextInSources([SOURCE], last, config("RUN b"))?.layer).toEqual(layer("3"));
  });

  test.each([
    ["another step", stage([line("base")], [layer("1")]), "ENV A=2"],
    ["another base, though it says the same of itself", stage([line("base")], [layer("9")]), "ENV A=1"],
    ["another history", stage([line("other")], [layer("1")]), "ENV A=1"],
    ["a step that left no layer where ours did", stage([line("base"), line("ENV A=1")], [layer("1"), layer("2")]), "RUN a"],
    ["its end", stage([...(SOURCE.config.history ?? [])], [...SOURCE.layers]), "RUN b"],
  ])("is not found after %s", (_, before, createdBy) => {
    expect(nextInSources([SOURCE], before, config(createdBy))).toBeUndefined();
  });

  test("is that of the first source that goes on; images of other machines and without layers where they say so are passed over", () => {
    const atBase = stage([line("base")], [layer("1")]);
    const other = image([line("base"), line("RUN a")], [layer("1"), layer("4")], { architecture: "arm64" });
    const lying = image([line("base"), line("RUN a")], [layer("1")]);
    const good = image([line("base"), line("RUN a")], [layer("1"), layer("5")]);
    expect(nextInSources([other, lying, good], atBase, config("RUN a"))?.layer).toEqual(layer("5"));
    expect(nextInSources([], atBase, config("RUN a"))).toBeUndefined();
  });
});

test("history tells of configuration and plain commands, and not of what mounts, scripts and copies bring", () => {
  const run = { kind: "run", createdBy: "RUN a", argv: ["a"], scripts: [], mounts: [] } as unknown as Extract<Step, { kind: "run" }>;
  expect(isToldByHistory(config("ENV A=1"))).toBe(true);
  expect(isToldByHistory({ kind: "workdir", path: "/a", createdBy: "WORKDIR /a" })).toBe(true);
  expect(isToldByHistory(run)).toBe(true);
  expect(isToldByHistory({ ...run, scripts: [{ path: "/x", content: "y" }] })).toBe(false);
  expect(isToldByHistory({ ...run, mounts: [{ type: "bind" }] as unknown as typeof run.mounts })).toBe(false);
  expect(isToldByHistory({ kind: "copy", createdBy: "COPY a /a" } as unknown as Step)).toBe(false);
});
