import { describe, expect, test } from "vitest";
import { batchSteps, toTransferStep, type TransferStep } from "./progress.ts";

async function* from(steps: readonly TransferStep[], failure?: Error): AsyncGenerator<TransferStep> {
  yield* steps;
  await Promise.resolve();
  if (failure !== undefined) throw failure;
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

describe("toTransferStep", () => {
  test("keeps a layer's bytes and leaves out a total that is not known", () => {
    expect(toTransferStep({ id: "a1", status: "Downloading", progressDetail: { current: 5, total: 10 }, progress: "[=> ]" })).toEqual({
      id: "a1",
      status: "Downloading",
      current: 5,
      total: 10,
    });
    expect(toTransferStep({ id: "a1", status: "Downloading", progressDetail: { current: 5, total: -1 } })).toEqual({
      id: "a1",
      status: "Downloading",
      current: 5,
    });
  });

  test("throws the engine's own words of a failure", () => {
    expect(() => toTransferStep({ error: "short", errorDetail: { message: "manifest unknown" } })).toThrow("manifest unknown");
  });

  test("passes over what says nothing: aux lines and lines of an unknown shape", () => {
    expect(toTransferStep({ aux: { ID: "sha256:1" } })).toBeUndefined();
    expect(toTransferStep(["x"])).toBeUndefined();
  });
});

describe("batchSteps", () => {
  test("gives the newest step of each layer and every word on the whole, in order", async () => {
    const steps = [
      { status: "Pulling from a" },
      { id: "1", status: "Downloading", current: 1 },
      { id: "1", status: "Downloading", current: 2 },
      { status: "Digest: x" },
    ];
    const batches = await collect(batchSteps(from(steps)));
    const last = batches.flatMap((batch) => batch.steps);
    expect(last.filter((step) => step.id === "1").at(-1)).toMatchObject({ current: 2 });
    expect(last.filter((step) => step.id === undefined).map((step) => step.status)).toEqual(["Pulling from a", "Digest: x"]);
  });

  test("throws what ended its source, after the steps before it", async () => {
    const seen: TransferStep[] = [];
    const run = async (): Promise<void> => {
      for await (const batch of batchSteps(from([{ status: "a" }], new Error("lost")))) seen.push(...batch.steps);
    };
    await expect(run()).rejects.toThrow("lost");
    expect(seen).toEqual([{ status: "a" }]);
  });
});
