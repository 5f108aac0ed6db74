import { randomBytes } from "node:crypto";
import { isFlotillaError } from "@flotilla/core";
import type { BlobStorage, StoredObject } from "@flotilla/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

export type StorageCase = { storage: BlobStorage; close(): Promise<void> };

/** What every storage of the registry must do, called by the test of each. */
export function describeBlobStorage(name: string, open: () => Promise<StorageCase>): void {
  describe(`${name} as blob storage`, () => {
    let opened: StorageCase;
    let storage: BlobStorage;
    let next = 0;
    const newKey = (): string => `uploads/key-${next++}`;
    beforeAll(async () => {
      opened = await open();
      storage = opened.storage;
    });
    afterAll(() => opened.close());

    test("what is appended in portions is read whole and in parts", async () => {
      const key = newKey();
      const bytes = randomBytes(2_500_000);
      await storage.append(key, 0, pieces(bytes.subarray(0, 1_700_000)));
      await storage.append(key, 1_700_000, pieces(bytes.subarray(1_700_000)));
      expect(await readAll(storage, key)).toEqual(bytes);
      expect(await readAll(storage, key, { start: 1_699_990, end: 1_700_009 })).toEqual(bytes.subarray(1_699_990, 1_700_010));
      expect(await storage.stat(key)).toMatchObject({ key, size: 2_500_000 });
    });

    test("what was behind the offset is dropped", async () => {
      const key = newKey();
      await storage.append(key, 0, pieces(Buffer.from("0123456789")));
      await storage.append(key, 4, pieces(Buffer.from("ab")));
      expect((await readAll(storage, key)).toString()).toBe("0123ab");
      await storage.append(key, 0, pieces(Buffer.from("")));
      expect(await storage.stat(key)).toMatchObject({ size: 0 });
    });

    test("an offset behind the end is refused, and makes nothing", async () => {
      const key = newKey();
      await expect(storage.append(key, 5, pieces(Buffer.from("x")))).rejects.toSatisfy((error) => isFlotillaError(error, "gone"));
      expect(await storage.stat(key)).toBeUndefined();
    });

    test("a body that breaks leaves what came before", async () => {
      const key = newKey();
      await expect(storage.append(key, 0, broken(Buffer.from("kept")))).rejects.toThrow("the line broke");
      expect((await readAll(storage, key)).toString()).toBe("kept");
    });

    test("promoting moves all of it in one step", async () => {
      const key = newKey();
      await storage.append(key, 0, pieces(Buffer.from("content")));
      await storage.promote(key, "blobs/ab/abcd.1");
      expect(await storage.stat(key)).toBeUndefined();
      expect((await readAll(storage, "blobs/ab/abcd.1")).toString()).toBe("content");
    });

    test("a reader that began before a delete reads to the end", async () => {
      const key = newKey();
      const bytes = randomBytes(3_000_000);
      await storage.append(key, 0, pieces(bytes));
      const reading = await storage.read(key);
      await storage.delete(key);
      const chunks: Uint8Array[] = [];
      for await (const chunk of reading) chunks.push(chunk);
      expect(Buffer.concat(chunks)).toEqual(bytes);
      await expect(storage.read(key)).rejects.toSatisfy((error) => isFlotillaError(error, "not_found"));
      await storage.delete(key);
    });

    test("listing gives the keys below a prefix and no others", async () => {
      await storage.append("listed/aa/one", 0, pieces(Buffer.from("1")));
      await storage.append("listed/bb/two", 0, pieces(Buffer.from("22")));
      await storage.append("listed-not/three", 0, pieces(Buffer.from("333")));
      const found: StoredObject[] = [];
      for await (const object of storage.list("listed")) found.push(object);
      expect(found.map(({ key, size }) => [key, size]).sort()).toEqual([
        ["listed/aa/one", 1],
        ["listed/bb/two", 2],
      ]);
      for await (const object of storage.list("nothing")) throw new Error(`listed ${object.key}`);
    });

    test.each(["../x", "/etc/passwd", "a/../b", "a//b", "", "A", "a\0b", "a/."])("%j is no key", async (key) => {
      await expect(storage.stat(key)).rejects.toSatisfy((error) => isFlotillaError(error, "internal"));
    });
  });
}

async function readAll(storage: BlobStorage, key: string, range?: { start: number; end: number }): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await storage.read(key, range)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

async function* broken(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  throw new Error("the line broke");
}
