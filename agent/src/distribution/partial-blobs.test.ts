import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOfHex } from "@flotilla/image";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PartialBlobs } from "./partial-blobs.ts";

const blob = { digest: digestOfHex("1".repeat(64)), size: 4 };
const DAY_MS = 24 * 3600 * 1000;

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "flotilla-partial-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe("PartialBlobs", () => {
  test("keep what came until it is taken, each namespace its own", async () => {
    const partials = new PartialBlobs({ dataDir, nowMs: Date.now });
    await partials.use("a", blob, (partial) => partial.append(Buffer.from("data")));
    expect(await partials.use("b", blob, async (partial) => partial.length)).toBe(0);
    expect(await partials.use("a", blob, async (partial) => partial.length)).toBe(4);
    let content = "";
    const take = (path: string): void => {
      content = readFileSync(path, "utf8");
      rmSync(path);
    };
    expect(partials.take("a", blob.digest, take)).toBe(true);
    expect(content).toBe("data");
    expect(partials.take("a", blob.digest, take)).toBe(false);
  });

  test("put a whole one on the disk, and do not mind one that was taken", async () => {
    const partials = new PartialBlobs({ dataDir, nowMs: Date.now });
    await partials.use("a", blob, (partial) => partial.append(Buffer.from("data")));
    await partials.sync("a", blob.digest);
    expect(partials.take("a", blob.digest, (path) => rmSync(path))).toBe(true);
    await expect(partials.sync("a", blob.digest)).resolves.toBeUndefined();
  });

  test("throw away after a week what nobody took, and not before", async () => {
    let nowMs = Date.now();
    const partials = new PartialBlobs({ dataDir, nowMs: () => nowMs });
    await partials.use("a", blob, (partial) => partial.append(Buffer.from("data")));
    const [directory = ""] = readdirSync(join(dataDir, "partial-blobs"));
    nowMs += 6 * DAY_MS;
    partials.sweep();
    expect(readdirSync(join(dataDir, "partial-blobs", directory))).toHaveLength(2);
    nowMs += 2 * DAY_MS;
    partials.sweep();
    expect(existsSync(join(dataDir, "partial-blobs", directory))).toBe(false);
  });

  test("leave what is in use alone, however old", async () => {
    const partials = new PartialBlobs({ dataDir, nowMs: Date.now });
    await partials.use("a", blob, async (partial) => {
      await partial.append(Buffer.from("data"));
      utimesSync(partial.dataPath, 0, 0);
      partials.sweep();
      expect(existsSync(partial.dataPath)).toBe(true);
    });
  });
});
