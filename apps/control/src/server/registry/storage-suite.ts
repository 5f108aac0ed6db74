import { randomBytes, randomUUID } from "node:crypto";
import { isFlotillaError } from "@flotilla/core";
import type { BlobStorage, StoredObject } from "@flotilla/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

export type StorageCase = { storage: BlobStorage; close(): Promise<void> };

/** What every storage of the registry must do, called by the test of each. */
export function describeBlobStorage(name: string, open: () => Promise<StorageCase>): void {
  describe(`${name} as blob storage`, () => {
    let opened: StorageCase;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());
    const use = (): BlobStorage => opened.storage;
    testWriting(use);
    testReading(use);
    testKeys(use);
  });
}

function newKey(): string {
  return `uploads/${randomUUID()}`;
}

/** Appending and promoting. */
function testWriting(use: () => BlobStorage): void {
  test("what is appended in portions is read whole and in parts", async () => {
    const key = newKey();
    const bytes = randomBytes(2_500_000);
    await use().append(key, 0, pieces(bytes.subarray(0, 1_700_000)));
    await use().append(key, 1_700_000, pieces(bytes.subarray(1_700_000)));
    expect(await readAll(use(), key)).toEqual(bytes);
    expect(await readAll(use(), key, { start: 1_699_990, end: 1_700_009 })).toEqual(bytes.subarray(1_699_990, 1_700_010));
    expect(await use().stat(key)).toMatchObject({ key, size: 2_500_000 });
  });

  test("what was behind the offset is dropped", async () => {
    const key = newKey();
    await use().append(key, 0, pieces(Buffer.from("0123456789")));
    await use().append(key, 4, pieces(Buffer.from("ab")));
    expect((await readAll(use(), key)).toString()).toBe("0123ab");
    await use().append(key, 0, pieces(Buffer.from("")));
    expect(await use().stat(key)).toMatchObject({ size: 0 });
  });

  test("an offset behind the end is refused, and makes nothing", async () => {
    const key = newKey();
    await expect(use().append(key, 5, pieces(Buffer.from("x")))).rejects.toSatisfy((error) => isFlotillaError(error, "gone"));
    expect(await use().stat(key)).toBeUndefined();
  });

  test("a body that breaks leaves what came before", async () => {
    const key = newKey();
    await expect(use().append(key, 0, broken(Buffer.from("kept")))).rejects.toThrow("the line broke");
    expect((await readAll(use(), key)).toString()).toBe("kept");
  });

  test("promoting moves all of it in one step", async () => {
    const key = newKey();
    await use().append(key, 0, pieces(Buffer.from("content")));
    await use().promote(key, "blobs/ab/abcd.1");
    expect(await use().stat(key)).toBeUndefined();
    expect((await readAll(use(), "blobs/ab/abcd.1")).toString()).toBe("content");
    await expect(use().promote(key, "blobs/ab/abcd.2")).rejects.toSatisfy((error) => isFlotillaError(error, "gone"));
  });
}

/** Readers that outlive what they read, and sending. */
function testReading(use: () => BlobStorage): void {
  test("a reader that began before a delete reads to the end", async () => {
    const key = newKey();
    const bytes = randomBytes(3_000_000);
    await use().append(key, 0, pieces(bytes));
    const reading = await use().read(key);
    await use().delete(key);
    const chunks: Uint8Array[] = [];
    for await (const chunk of reading) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(bytes);
    await expect(use().read(key)).rejects.toSatisfy((error) => isFlotillaError(error, "not_found"));
    await use().delete(key);
  });

  test("sending gives the pieces in order, whole or in part, and stops with a sink that fails", async () => {
    const key = newKey();
    const bytes = randomBytes(2_500_000);
    await use().append(key, 0, pieces(bytes));
    for (const range of [
      { start: 0, end: 2_499_999 },
      { start: 7, end: 7 },
      { start: 524_287, end: 2_000_000 },
    ]) {
      const sent: Buffer[] = [];
      await use().send(key, range, async (piece) => void sent.push(Buffer.from(piece)));
      expect(Buffer.concat(sent).equals(bytes.subarray(range.start, range.end + 1))).toBe(true);
    }
    const failing = use().send(key, { start: 0, end: 2_499_999 }, () => Promise.reject(new Error("the client left")));
    await expect(failing).rejects.toThrow("the client left");
    await expect(use().send("uploads/none", { start: 0, end: 1 }, async () => undefined)).rejects.toSatisfy((error) =>
      isFlotillaError(error, "not_found"),
    );
  });
}

/** Listing, and texts that are no key. */
function testKeys(use: () => BlobStorage): void {
  test("listing gives the keys below a prefix and no others", async () => {
    await use().append("listed/aa/one", 0, pieces(Buffer.from("1")));
    await use().append("listed/bb/two", 0, pieces(Buffer.from("22")));
    await use().append("listed-not/three", 0, pieces(Buffer.from("333")));
    const found: StoredObject[] = [];
    for await (const object of use().list("listed")) found.push(object);
    expect(new Map(found.map(({ key, size }) => [key, size]))).toEqual(
      new Map([
        ["listed/aa/one", 1],
        ["listed/bb/two", 2],
      ]),
    );
    for await (const object of use().list("nothing")) throw new Error(`listed ${object.key}`);
  });

  test.each(["../x", "/etc/passwd", "a/../b", "a//b", "", "A", "a\0b", "a/."])("%j is no key", async (key) => {
    await expect(use().stat(key)).rejects.toSatisfy((error) => isFlotillaError(error, "internal"));
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
