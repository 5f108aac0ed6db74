import { FlotillaError } from "@flotilla/core";
import { describe, expect, test } from "vitest";
import { openText, sealText } from "../../access/secrets.ts";
import type { BlobStorage } from "../blob-storage.ts";
import { BlobFetch } from "./blob-fetch.ts";
import { newUpstream } from "./manage-upstreams.ts";
import { isAway, toClientError } from "./upstream-pulls.ts";
import { type CachedRepository, credentialsOf, settingsOf } from "./upstream-settings.ts";

const KEY = new Uint8Array(32).fill(7);
const ROW = {
  id: "u",
  teamId: "t",
  name: "hub",
  url: "https://registry-1.docker.io",
  username: null,
  sealedPassword: null,
  ca: null,
  tokenServer: null,
  allowsPrivate: false,
  tagTtlSeconds: 300,
  keepDays: 30,
  createdAt: new Date(0),
  reachedAt: null,
  lastError: null,
};

describe("a sealed text", () => {
  test("opens with its key, where it belongs, and is another one each time", () => {
    const sealed = sealText(KEY, "hunter2 é", "row 1");
    expect(openText(KEY, sealed, "row 1")).toBe("hunter2 é");
    expect(Buffer.from(sealed).equals(sealText(KEY, "hunter2 é", "row 1"))).toBe(false);
    expect(Buffer.from(sealed).includes("hunter2")).toBe(false);
  });

  test("does not open with another key, for another row, or changed in any byte", () => {
    const sealed = sealText(KEY, "hunter2", "row 1");
    expect(() => openText(new Uint8Array(32), sealed, "row 1")).toThrow(/another secrets file/);
    expect(() => openText(KEY, sealed, "row 2")).toThrow(/another secrets file/);
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.map((byte, index) => (index === at ? byte ^ 1 : byte));
      expect(() => openText(KEY, changed, "row 1"), `byte ${at}`).toThrow();
    }
    for (const short of [0, 5, 12, 20]) expect(() => openText(KEY, sealed.subarray(0, short), "row 1")).toThrow();
  });
});

describe("how an upstream is asked", () => {
  test("with nothing allowed: TLS, public addresses, credentials for its own token server", () => {
    expect(settingsOf(ROW)).toEqual({
      scheme: "https",
      isPublicOnly: true,
      allowedOrigins: [],
      credentialOrigins: ["https://auth.docker.io"],
    });
    expect(settingsOf({ ...ROW, url: "https://r.example", tokenServer: "https://auth.example" })).toMatchObject({
      allowedOrigins: [],
      credentialOrigins: ["https://auth.example"],
    });
  });

  test("inside, when the administrator said so", () => {
    const inside = { ...ROW, url: "http://10.0.0.5:5000", allowsPrivate: true, tokenServer: "http://10.0.0.6", ca: "PEM" };
    expect(settingsOf(inside)).toEqual({
      scheme: "http",
      isPublicOnly: false,
      allowedOrigins: ["http://10.0.0.6"],
      credentialOrigins: ["http://10.0.0.6"],
      ca: "PEM",
    });
  });

  test("its password comes out of the row", () => {
    const sealedPassword = sealText(KEY, "s3cret", "registry upstream u");
    expect(credentialsOf(KEY, { ...ROW, username: "ann", sealedPassword })).toEqual({ username: "ann", password: "s3cret" });
    expect(credentialsOf(KEY, ROW)).toBeUndefined();
    expect(() => credentialsOf(KEY, { ...ROW, id: "other", username: "ann", sealedPassword })).toThrow(/another secrets file/);
    expect(() => credentialsOf(KEY, { ...ROW, username: "ann" })).toThrow(/no password/);
  });

  test.each([
    ["plain HTTP without private addresses", { url: "http://r.example" }],
    ["a name without a password", { username: "ann" }],
    ["a query", { url: "https://r.example/?a" }],
    ["a token server with a path", { tokenServer: "https://r.example/token" }],
    ["no time to live at all", { tagTtlSeconds: -1 }],
  ])("%s is no upstream", (_what, change) => {
    expect(newUpstream.safeParse({ name: "x", url: "https://r.example", ...change }).success).toBe(false);
  });
});

describe("what an upstream's failure means", () => {
  const cached: CachedRepository = { upstream: ROW, path: "team/hub/a", remotePath: "library/a" };
  const failure = (code: ConstructorParameters<typeof FlotillaError>[0], details = {}): FlotillaError =>
    new FlotillaError(code, "why", { details });

  test.each([
    [failure("unavailable", { isConnection: true }), true, "unavailable"],
    [failure("rate_limited", { status: 429 }), true, "rate_limited"],
    [failure("internal", { status: 500 }), true, "unavailable"],
    [failure("unavailable", { isCancelled: true }), false, "unavailable"],
    [failure("not_found", { status: 404 }), false, "not_found"],
    [failure("forbidden"), false, "forbidden"],
    [failure("unauthenticated", { status: 401 }), false, "forbidden"],
    [failure("invalid"), false, "unavailable"],
  ])("%o", (error, away, code) => {
    expect(isAway(error)).toBe(away);
    expect(toClientError(error, cached)).toMatchObject({ code, message: "upstream hub: why" });
  });
});

describe("a blob that comes in", () => {
  /** Keys and bytes in memory, with the errors of the real ones. */
  const memory = (): BlobStorage & { files: Map<string, Buffer> } => {
    const files = new Map<string, Buffer>();
    const must = (key: string): Buffer => {
      const found = files.get(key);
      if (found === undefined) throw new FlotillaError("not_found", "gone");
      return found;
    };
    return {
      files,
      append: async (key, offset, body) => {
        const parts = [(files.get(key) ?? Buffer.alloc(0)).subarray(0, offset)];
        for await (const part of body) parts.push(Buffer.from(part));
        files.set(key, Buffer.concat(parts));
      },
      digest: () => Promise.reject(new Error("not used")),
      promote: async (from, to) => void (files.set(to, must(from)), files.delete(from)),
      read: () => Promise.reject(new Error("not used")),
      send: async (key, { start, end }, sink) => sink(must(key).subarray(start, end + 1)),
      stat: async () => undefined,
      delete: async (key) => void files.delete(key),
      list: () => ({ [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }) }),
    };
  };
  const BYTES = Buffer.alloc(3_000_000, "abc");
  async function* source(bytes: Buffer, gate?: Promise<void>, error?: Error): AsyncGenerator<Buffer> {
    yield bytes.subarray(0, 2_000_000);
    await gate;
    if (error !== undefined) throw error;
    yield bytes.subarray(2_000_000);
  }
  const collect = async (fetch: BlobFetch, range = { start: 0, end: fetch.size - 1 }): Promise<Buffer> => {
    const parts: Buffer[] = [];
    await fetch.send(range, async (piece) => void parts.push(Buffer.from(piece)));
    return Buffer.concat(parts);
  };

  test("is read while it comes, by those who came late too, and from its final place", async () => {
    const storage = memory();
    const fetch = new BlobFetch(storage, { key: "uploads/x", size: BYTES.length });
    const gate = Promise.withResolvers<void>();
    const early = collect(fetch);
    const part = collect(fetch, { start: 10, end: 2_500_000 });
    const running = fetch.run(source(BYTES, gate.promise), async (key) => (await storage.promote(key, "blobs/x"), "blobs/x"));
    expect((await collect(fetch, { start: 0, end: 999 })).equals(BYTES.subarray(0, 1000))).toBe(true);
    gate.resolve();
    await running;
    expect((await early).equals(BYTES)).toBe(true);
    expect((await part).equals(BYTES.subarray(10, 2_500_001))).toBe(true);
    expect((await collect(fetch)).equals(BYTES)).toBe(true);
    expect([...storage.files.keys()]).toEqual(["blobs/x"]);
  });

  test.each([
    ["the source fails", source(BYTES, undefined, new FlotillaError("unavailable", "cut")), async (): Promise<string> => "never"],
    ["it cannot be kept", source(BYTES), (): Promise<string> => Promise.reject(new FlotillaError("forbidden", "cut"))],
    ["it is too short", source(BYTES.subarray(0, 2_900_000)), async (): Promise<string> => "never"],
  ])("when %s nobody has its last byte, and nothing stays", async (_what, from, keep) => {
    const storage = memory();
    const fetch = new BlobFetch(storage, { key: "uploads/x", size: BYTES.length });
    let got = 0;
    const reader = fetch.send({ start: 0, end: fetch.size - 1 }, async (piece) => void (got += piece.length));
    reader.catch(() => undefined);
    await expect(fetch.run(from, keep)).rejects.toThrow();
    await expect(reader).rejects.toThrow(/cut|instead of/);
    expect(got).toBeLessThan(BYTES.length);
    await expect(collect(fetch)).rejects.toThrow();
    expect(storage.files.size).toBe(0);
  });

  test("one that never began tells its readers why", async () => {
    const fetch = new BlobFetch(memory(), { key: "uploads/x", size: 5 });
    const reader = collect(fetch);
    fetch.fail(new FlotillaError("unavailable", "away"));
    await expect(reader).rejects.toThrow("away");
  });
});
