import { createHash, randomBytes, randomUUID } from "node:crypto";
import { isFlotillaError } from "@flotilla/core";
import type { BlobStorage, StoredObject } from "@flotilla/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** `openAgain` is the same storage as another process sees it. */
export type StorageCase = { storage: BlobStorage; openAgain(): BlobStorage; close(): Promise<void> };

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
    testDigests(use, () => opened.openAgain());
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
    expect((await readAll(use(), key)).equals(bytes)).toBe(true);
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

/** Digests, as bytes come in order, again, after a failure and by another process. */
function testDigests(use: () => BlobStorage, openAgain: () => BlobStorage): void {
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  const bytes = randomBytes(3_300_000);

  test("the digest is that of all that was appended, in one or many portions, however often it is asked for", async () => {
    const key = newKey();
    await use().append(key, 0, pieces(bytes.subarray(0, 1_000_001)));
    await use().append(key, 1_000_001, pieces(bytes.subarray(1_000_001, 1_000_001)));
    await use().append(key, 1_000_001, pieces(bytes.subarray(1_000_001)));
    for (let time = 0; time < 2; time++) expect(await use().digest(key, bytes.length)).toBe(sha256(bytes));
    expect(await use().digest(key, 1_500_000)).toBe(sha256(bytes.subarray(0, 1_500_000)));
    await use().append(key, 0, pieces(Buffer.from("")));
    expect(await use().digest(key, 0)).toBe(sha256(Buffer.from("")));
  });

  test("pieces may be used again once the next one is asked for, and may be larger than what is written at once", async () => {
    const key = newKey();
    const large = randomBytes(2_200_000);
    async function* reused(): AsyncGenerator<Uint8Array> {
      const piece = Buffer.alloc(large.length);
      for (let at = 0; at < bytes.length; at += piece.length) yield piece.subarray(0, bytes.copy(piece, 0, at, at + piece.length));
      large.copy(piece);
      yield piece;
      piece.fill(0);
    }
    await use().append(key, 0, reused());
    const all = Buffer.concat([bytes, large]);
    expect((await readAll(use(), key)).equals(all)).toBe(true);
    expect(await use().digest(key, all.length)).toBe(sha256(all));
  });

  test("what was written again, by whomever, is hashed as it is now", async () => {
    const key = newKey();
    await use().append(key, 0, pieces(bytes));
    await use().append(key, 10, pieces(Buffer.from("other")));
    expect(await use().digest(key, 15)).toBe(sha256(Buffer.concat([bytes.subarray(0, 10), Buffer.from("other")])));
    await expect(use().append(key, 15, broken(Buffer.from("kept")))).rejects.toThrow("the line broke");
    await openAgain().append(key, 19, pieces(Buffer.from(" more")));
    await use().append(key, 24, pieces(Buffer.from(" and more")));
    const now = Buffer.concat([bytes.subarray(0, 10), Buffer.from("otherkept more and more")]);
    expect(await use().digest(key, now.length)).toBe(sha256(now));
    expect(await openAgain().digest(key, now.length)).toBe(sha256(now));
    await expect(use().digest(key, now.length + 1)).rejects.toSatisfy((error) => isFlotillaError(error, "gone"));
    await expect(use().digest(newKey(), 1)).rejects.toSatisfy((error) => isFlotillaError(error, "gone"));
  });

  test("what another process wrote in the place of the same number of bytes counts", async () => {
    const key = newKey();
    await use().append(key, 0, pieces(Buffer.from("ours")));
    // A clock of files may tick every ten milliseconds only.
    await new Promise((resolve) => setTimeout(resolve, 30));
    await openAgain().append(key, 0, pieces(Buffer.from("else")));
    expect(await use().digest(key, 4)).toBe(sha256(Buffer.from("else")));
  });

  test("many uploads beside each other keep apart", async () => {
    const all = Array.from({ length: 12 }, (_, at) => ({ key: newKey(), bytes: bytes.subarray(at * 1000, 1_500_000 + at * 100_000) }));
    await Promise.all(all.map((one) => use().append(one.key, 0, pieces(one.bytes))));
    const digests = await Promise.all(all.map((one) => use().digest(one.key, one.bytes.length)));
    expect(digests).toEqual(all.map((one) => sha256(one.bytes)));
    for (const one of all) expect((await readAll(use(), one.key)).equals(one.bytes)).toBe(true);
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
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
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
