import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeArchiveWorkers, type ArchiveWorkers } from "../../agent/src/archive/workers.ts";
import { collect, sha256, streamOf, withStorage } from "./storage-fixture.ts";
import { COMPILE_CACHE_CONFIG } from "../support/compile-cache.ts";

// Made by Python's lzma and bz2: a tar of `hello` (6 bytes) and `big` (20,000 lines), as one stream and as two.
const PLAIN_BYTES = 112_640;
const XZ =
  "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4bf/AKZdADQZSe6N1/i4P8k3Mt7I1YCE//IZ+VcAjQ0eilMIokg5TytYPBdJ0KMKND9Hobc+y5csokCu5viviSXzthKbSkbm3alOGNU5r1gbOv6GT0h5aiQR6pS9JtJrADD3Yj8XQif4+fw01Dok5XkuGSq2Gl27Q2uFQ8fEuecSEOoXp9eFUIS+wbG+9jyVtx7Zy/ZKXPl689jDW4gqS2X5odcAV14KUsB/MkAAAACl16m5h/3EfgABwgGA8AYAvyDSrLHEZ/sCAAAAAARZWg==";
const XZ_TWO =
  "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Au3AFxdADQZSe6N1/i4P8k3Mt7I1YCE//IZ+VcAjQ0eilMIokg5TytYPBdJ0KMKND9Hobc+y5csokCu5viviSXzthKbSkbm3alOGNU5r1gbOv6GT0h5aiQR6pS9JsLYY9RBAITCU4JXr72pAAF4uBcAAACCd13JscRn+wIAAAAABFla/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4axHAF9dAAUcCmPF4XWtqUZT+FjAVvjO23dCbpNEnIIC6nMbwbZJj/TtsUcz12hgaxYru79A1EalYB4Wv2Nz52eRN4rM/BFBWWmWa+wd7rS5k2jA/uyQhx6KKrrXe4vZF1Q7igAAAAATjZTIFuNrkQABe8jYBgAAAWe4nLHEZ/sCAAAAAARZWg==";
const BZIP2 =
  "QlpoOTFBWSZTWW0wt3MATr5bwOmQQABdgAAKcuWeAACACIgwALgMYTEyYCYAAxhMTJgJgAAqSmkNI9R5J6jQ9TE/U/PnmvSnOoRXARNPbd6NFMtfdgyIlDPqCCSFmrFlSLKI22sjPFTphxm2c2x5NcMVjsv2BBJDd/f9+/gEEkN5JIEkLdVnEEEkKeF112gTyLuSKcKEg2mFu5g=";
const BZIP2_TWO =
  "QlpoOTFBWSZTWVVzbmAAAWrbgOmQQABdgAAKcuWeAAiIIACVBKQ1ANAeoAyAVKRNGQYgBo09T12wK4XBly0b2Si/PFYvFBx8EIWsylbhCA4EGaAhFRxm+lGijLUZPUgEj6SCENHznX7rEIWeyENi1dEIUaqqqsT+LuSKcKEgqubcwEJaaDkxQVkmU1l/GHICACbVwUDAEAIlAIAACCAAUIYECaqmg/VMS5ylV2QKK2IFFYgUV6QKKxAor6i/F3JFOFCQfxhyAg==";
/** With SHA-256 as its check, which the decoder is built without. */
const XZ_SHA256 = `${XZ.slice(0, 8)}AArh+wyh${XZ.slice(16)}`;
/** 60,000,000 zeros. */
const BZIP2_ZEROS = "QlpoOTFBWSZTWQ4J4t8BX45AAMAAAAggADCATUZCoCWpCoCXMUFZJlNZpertMgBsAOAAwAAAEAAIIAAwzAUppoAKWwgBS8XckU4UJC5+SiMA";

const bytes = (text: string): Buffer => Buffer.from(text, "base64");
let directory: string;
let workers: ArchiveWorkers;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "flotilla-formats-"));
  workers = makeArchiveWorkers(COMPILE_CACHE_CONFIG);
});
afterAll(async () => {
  await workers.close();
  rmSync(directory, { recursive: true, force: true });
});

function plainOf(format: "xz" | "bzip2", data: Buffer): Promise<Buffer> {
  return collect(workers.decompress(format, streamOf(data)));
}

describe.each([
  ["xz", XZ, XZ_TWO],
  ["bzip2", BZIP2, BZIP2_TWO],
] as const)("%s", (format, one, two) => {
  test("comes out as it went in, also as several streams", async () => {
    const [plain, joined] = await Promise.all([plainOf(format, bytes(one)), plainOf(format, bytes(two))]);
    expect(plain).toHaveLength(PLAIN_BYTES);
    expect(plain.subarray(512, 518).toString()).toBe("hello\n");
    expect(sha256(joined)).toBe(sha256(plain));
  });

  test("what is cut, changed or followed by something else is refused", async () => {
    const changed = bytes(one);
    changed.fill(7, 100, 110);
    const damaged = [bytes(one).subarray(0, 100), changed, Buffer.concat([bytes(one), Buffer.from("something else")])];
    for (const data of damaged) await expect(plainOf(format, data)).rejects.toThrow(`${format}: invalid or truncated data`);
  });

  test("a source that breaks is not taken for a whole one", async () => {
    async function* breaking(): AsyncGenerator<Buffer> {
      yield bytes(one);
      throw new Error("the client is gone");
    }
    await expect(collect(workers.decompress(format, breaking()))).rejects.toThrow("the client is gone");
  });

  test("an import of it is an image whose layer is the plain tar", async () => {
    await withStorage(async ({ images, db }) => {
      await images.import({ namespace: "default", tar: streamOf(bytes(one)), repository: "web", message: "", changes: [] });
      expect(images.inspect("default", "web").Size).toBe(100_006);
      const [blob] = db.all("SELECT digest, diff_id, compression, size_bytes FROM storage_blobs");
      expect(blob).toMatchObject({ compression: "none", size_bytes: PLAIN_BYTES, digest: blob?.["diff_id"] });
      await expect(
        images.import({ namespace: "default", tar: streamOf(bytes(one).subarray(0, 90)), message: "", changes: [] }),
      ).rejects.toThrow(`${format}: invalid or truncated data`);
      expect(db.all("SELECT digest FROM storage_blobs")).toHaveLength(1);
    });
  });
});

test("xz with a check that is not known is refused by name", async () => {
  await expect(plainOf("xz", bytes(XZ_SHA256))).rejects.toThrow("xz: a filter or check of it is not supported");
});

test("a bomb comes out as fast as it is read, and whoever stops reading stops it", async () => {
  let read = 0;
  for await (const chunk of workers.decompress("bzip2", streamOf(bytes(BZIP2_ZEROS)))) {
    read += (chunk as Buffer).length;
    if (read > 1_000_000) break;
  }
  expect(read).toBeLessThan(2_000_000);
  let all = 0;
  for await (const chunk of workers.decompress("bzip2", streamOf(bytes(BZIP2_ZEROS)))) all += (chunk as Buffer).length;
  expect(all).toBe(60_000_000);
});
