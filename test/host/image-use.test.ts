import { expect, test } from "vitest";
import { NS, withEngine } from "../support/engine.ts";
import { streamOf, tarOf, withStorage } from "./storage-fixture.ts";

test("an image is used when a container of it is created and each time one starts", async () => {
  await withEngine(async (t) => {
    const lastUsed = (): number | null | undefined => t.images.listUse(NS)[0]?.lastUsedMs;
    expect(lastUsed()).toBe(0);
    const beforeMs = Date.now();
    const id = await t.create({ Cmd: ["true"] });
    const created = lastUsed();
    expect(created).toBeGreaterThanOrEqual(beforeMs);
    t.images.store.records.markUsed(NS, "sha256:of-no-image");
    await t.reopen();
    expect(lastUsed()).toBe(created);
    await t.engine.start(NS, id);
    await t.exitOf(id);
    // Creating and starting within a second are one use.
    expect(lastUsed()).toBeGreaterThanOrEqual(created ?? Number.NaN);
  });
});

test("use is another namespace's secret, and is not known for images from before it was recorded", async () => {
  await withStorage(async ({ images, db }) => {
    const bytes = await tarOf([{ name: "a", content: "1", mtime: new Date(0) }]);
    for (const namespace of ["one", "two"]) {
      const changes = [`LABEL of=both`];
      await images.import({ namespace, tar: streamOf(bytes), repository: "web", message: "", changes });
    }
    const { id } = images.resolve("one", "web");
    images.markUsed("one", id);
    expect(images.listUse("one")).toEqual([{ id, lastUsedMs: expect.any(Number) }]);
    expect(images.listUse("one")[0]?.lastUsedMs).toBeGreaterThan(0);
    expect(images.listUse("two").map((use) => use.lastUsedMs)).toEqual([0]);
    expect(images.listUse("nobody")).toEqual([]);
    db.run("UPDATE storage_images SET last_used_ms = NULL");
    expect(images.listUse("one")).toEqual([{ id, lastUsedMs: null }]);
    images.markUsed("one", id);
    expect(images.listUse("one")[0]?.lastUsedMs).toBeGreaterThan(0);
  });
});
