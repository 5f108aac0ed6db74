import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isFlotillaError } from "@flotilla/core";
import { MEDIA_TYPE, parseReference, type Digest } from "@flotilla/image";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  digestOf,
  downloadBlob,
  fetchBlob,
  fetchManifest,
  findManifest,
  listTags,
  PartialBlob,
  pushBlob,
  pushImage,
  RegistryClient,
  resolveImage,
  type Credentials,
  type OpenRepository,
  type PullProgress,
  type PushProgress,
  type RegistrySettings,
} from "./index.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A registry that does whatever a test says, and remembers what it was asked. */
class ScriptedRegistry {
  readonly server: Server;
  readonly seen: { method: string; url: string; headers: IncomingMessage["headers"] }[] = [];
  handler: Handler = (_request, response) => void response.writeHead(404).end();

  constructor() {
    this.server = createServer((request, response) => {
      this.seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers });
      void this.handler(request, response);
    });
  }
  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
  get calls(): string[] {
    return this.seen.map(({ method, url }) => `${method} ${url}`);
  }
}

const signal = new AbortController().signal;
const blobBytes = Buffer.alloc(3_000_000, "flotilla ");
const blob = { digest: digestOf(blobBytes), size: blobBytes.length };
const config = Buffer.from("{}");
const manifestOf = (extra: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      config: { mediaType: MEDIA_TYPE.ociConfig, digest: digestOf(config), size: config.length },
      layers: [{ mediaType: MEDIA_TYPE.ociLayerGzip, ...blob }],
      ...extra,
    }),
  );

let registry: ScriptedRegistry;
let other: ScriptedRegistry;
let directory: string;
const clients: RegistryClient[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "flotilla-registry-"));
  registry = new ScriptedRegistry();
  other = new ScriptedRegistry();
  for (const { server } of [registry, other]) await once(server.listen(0, "127.0.0.1"), "listening");
});

afterEach(async () => {
  for (const client of clients.splice(0)) client[Symbol.dispose]();
  for (const { server } of [registry, other]) {
    server.closeAllConnections();
    server.close();
  }
  await rm(directory, { recursive: true, force: true });
});

type Setup = { settings?: RegistrySettings; credentials?: Credentials; name?: string; action?: "pull" | "push"; stallTimeoutMs?: number };

async function open({
  settings = {},
  credentials,
  name = "team/app",
  action = "pull",
  stallTimeoutMs = 5000,
}: Setup = {}): Promise<OpenRepository> {
  const client = new RegistryClient({
    settingsOf: () => settings,
    credentialsOf: async (domain) => (domain === registry.host ? credentials : undefined),
    userAgent: "test",
    random: () => 0,
    now: () => Date.now(),
    limits: { maxAttempts: 3, stallTimeoutMs, headersTimeoutMs: 5000 },
  });
  clients.push(client);
  return client.open({ reference: parseReference(`${registry.host}/${name}`), action, signal });
}

const partialOf = (bootId = "boot-1"): Promise<PartialBlob> => PartialBlob.open({ directory, bootId, blob });

async function download(repository: OpenRepository, bootId?: string): Promise<{ bytes: Buffer; progress: PullProgress[] }> {
  await using partial = await partialOf(bootId);
  const progress: PullProgress[] = [];
  const chunks: Buffer[] = [];
  for await (const chunk of downloadBlob(repository, { blob, partial, onProgress: (item) => progress.push(item), signal }))
    chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), progress };
}

/** Answers blobs with ranges, cutting each answer after `cutAfter` bytes. */
function serveBlob({ cutAfter = Number.POSITIVE_INFINITY, bytes = blobBytes, hasRanges = true } = {}): Handler {
  return (request, response) => {
    const [, from] = /^bytes=(\d+)-/.exec(hasRanges ? (request.headers.range ?? "") : "") ?? [];
    const start = Number(from ?? 0);
    const headers = {
      "content-length": bytes.length - start,
      ...(from === undefined ? {} : { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
    };
    response.writeHead(from === undefined ? 200 : 206, headers);
    if (bytes.length - start <= cutAfter) return void response.end(bytes.subarray(start));
    response.write(bytes.subarray(start, start + cutAfter), () => setImmediate(() => response.destroy()));
  };
}

const errorBody = (code: string, message: string): string => JSON.stringify({ errors: [{ code, message }] });
const statuses = (progress: readonly (PullProgress | PushProgress)[]): string[] => [...new Set(progress.map(({ status }) => status))];

describe("blobs", () => {
  test("come with progress and are verified", async () => {
    registry.handler = serveBlob();
    const { bytes, progress } = await download(await open());
    expect(digestOf(bytes)).toBe(blob.digest);
    expect(statuses(progress)).toEqual(["Downloading", "Verifying Checksum", "Download complete"]);
    expect(progress.findLast((item) => item.status === "Downloading")).toMatchObject({ current: blob.size, total: blob.size });
  });

  test("a connection that is cut is taken up where it stopped, as often as there is progress", async () => {
    registry.handler = serveBlob({ cutAfter: 600_000 });
    const { bytes } = await download(await open());
    expect(digestOf(bytes)).toBe(blob.digest);
    const starts = registry.seen.map(({ headers }) => Number(/^bytes=(\d+)-2999999$/.exec(headers.range ?? "bytes=0-2999999")?.[1]));
    expect(starts.length).toBeGreaterThan(4);
    // What was received but not yet read when the connection broke is lost, and no more than that.
    for (const [index, start] of starts.entries()) if (index > 0) expect(start - (starts[index - 1] ?? 0)).toBeGreaterThan(300_000);
  });

  test("what an earlier process got is not fetched again", async () => {
    registry.handler = serveBlob();
    const repository = await open();
    const leave = async (): Promise<number> => {
      await using partial = await partialOf();
      let received = 0;
      for await (const chunk of downloadBlob(repository, { blob, partial, onProgress: () => undefined, signal })) {
        received += chunk.length;
        if (received > 2_000_000) break;
      }
      return received;
    };
    const received = await leave();
    registry.seen.length = 0;
    const { bytes } = await download(await open());
    expect(digestOf(bytes)).toBe(blob.digest);
    expect(registry.seen.map(({ headers }) => headers.range)).toEqual([`bytes=${received}-2999999`]);
    registry.seen.length = 0;
    await download(await open());
    expect(registry.calls).toEqual([]);
  });

  test("after a restart of the machine only what was synced counts", async () => {
    const hex = blob.digest.slice(7);
    await writeFile(join(directory, `${hex}.data`), Buffer.concat([blobBytes.subarray(0, 100_000), Buffer.alloc(50_000)]));
    await writeFile(
      join(directory, `${hex}.json`),
      JSON.stringify({ version: 1, digest: blob.digest, bootId: "boot-1", syncedBytes: 100_000 }),
    );
    registry.handler = serveBlob();
    const { bytes } = await download(await open(), "boot-2");
    expect(digestOf(bytes)).toBe(blob.digest);
    expect(registry.seen.at(-1)?.headers.range).toBe("bytes=100000-2999999");
  });

  test("what was received but never synced does not count after a restart, however often it was taken up before", async () => {
    registry.handler = serveBlob();
    const repository = await open();
    for (const upTo of [1_000_000, 2_000_000]) {
      await using partial = await partialOf();
      let received = 0;
      for await (const chunk of downloadBlob(repository, { blob, partial, onProgress: () => undefined, signal })) {
        received += chunk.length;
        if (received > upTo) break;
      }
      expect(partial.length).toBeGreaterThan(upTo);
    }
    registry.seen.length = 0;
    const { bytes } = await download(await open(), "boot-2");
    expect(digestOf(bytes)).toBe(blob.digest);
    expect(registry.seen.map(({ headers }) => headers.range)).toEqual([undefined]);
  });

  test("a partial file without record, or with another's, is begun anew", async () => {
    await writeFile(join(directory, `${blob.digest.slice(7)}.data`), "garbage");
    await writeFile(join(directory, `${blob.digest.slice(7)}.json`), "{");
    registry.handler = serveBlob();
    expect(digestOf((await download(await open())).bytes)).toBe(blob.digest);
  });

  test("a registry without ranges sends all again, and only the rest is kept", async () => {
    let isFirst = true;
    registry.handler = (request, response) => {
      const cutAfter = isFirst ? 120_000 : Number.POSITIVE_INFINITY;
      isFirst = false;
      return serveBlob({ cutAfter, hasRanges: false })(request, response);
    };
    expect(digestOf((await download(await open())).bytes)).toBe(blob.digest);
  });

  test("wrong content is refused, forgotten, and can be fetched again", async () => {
    registry.handler = serveBlob({ bytes: Buffer.alloc(blob.size, "x") });
    await expect(download(await open())).rejects.toThrow(`filesystem layer verification failed for digest ${blob.digest}`);
    registry.handler = serveBlob();
    expect(digestOf((await download(await open())).bytes)).toBe(blob.digest);
  });

  test.each<[string, Handler]>([
    ["a wrong length", (_request, response) => void response.writeHead(200, { "content-length": 10 }).end("0123456789")],
    ["more than there should be", (_request, response) => void response.writeHead(200).end(Buffer.alloc(blob.size + 1))],
    [
      "another range than was asked",
      (_request, response) => void response.writeHead(206, { "content-range": "bytes 5-9/10" }).end("01234"),
    ],
  ])("%s is refused at once", async (_name, handler) => {
    registry.handler = handler;
    await expect(download(await open())).rejects.toMatchObject({ code: "invalid", message: expect.stringContaining("another size") });
    expect(registry.seen).toHaveLength(1);
  });

  test("a registry that stalls is tried again and then given up", async () => {
    registry.handler = (_request, response) => response.writeHead(200, { "content-length": blob.size }).flushHeaders();
    await expect(download(await open({ stallTimeoutMs: 50 }))).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("stalled"),
    });
    expect(registry.seen).toHaveLength(3);
  });

  test("whoever goes away ends the download, and what came is kept", async () => {
    const controller = new AbortController();
    registry.handler = (_request, response) =>
      void response.writeHead(200, { "content-length": blob.size }).write(blobBytes.subarray(0, 1000));
    const repository = await open();
    await using partial = await partialOf();
    const all = async (): Promise<void> => {
      for await (const _ of downloadBlob(repository, { blob, partial, onProgress: () => controller.abort(), signal: controller.signal }));
    };
    await expect(all()).rejects.toMatchObject({ message: "context canceled", details: { isCancelled: true } });
    expect(partial.length).toBe(1000);
  });

  test("a small blob is bounded and verified", async () => {
    registry.handler = (_request, response) => void response.end(config);
    const repository = await open();
    expect(await fetchBlob(repository, { digest: digestOf(config), size: 2 }, { maxBytes: 10, signal })).toEqual(config);
    await expect(fetchBlob(repository, { digest: digestOf(config), size: 99 }, { maxBytes: 10, signal })).rejects.toMatchObject({
      code: "too_large",
    });
    await expect(fetchBlob(repository, { digest: blob.digest, size: 2 }, { maxBytes: 10, signal })).rejects.toThrow("verification failed");
  });
});

describe("manifests", () => {
  test("a tag leads through an index to the image of the platform, each verified", async () => {
    const image = manifestOf();
    const index = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        manifests: [
          {
            mediaType: MEDIA_TYPE.ociManifest,
            digest: digestOf(Buffer.from("x")),
            size: 1,
            platform: { os: "linux", architecture: "arm64" },
          },
          {
            mediaType: MEDIA_TYPE.ociManifest,
            digest: digestOf(image),
            size: image.length,
            platform: { os: "linux", architecture: "amd64" },
          },
        ],
      }),
    );
    registry.handler = (request, response) => {
      const isTag = request.url?.endsWith("/v1") === true;
      response.setHeader("content-type", isTag ? MEDIA_TYPE.ociIndex : MEDIA_TYPE.ociManifest);
      response.end(isTag ? index : image);
    };
    const query = { reference: parseReference(`${registry.host}/team/app:v1`), signal };
    const resolved = await resolveImage(await open(), { ...query, platform: { os: "linux", architecture: "amd64" } });
    expect(resolved.root.digest).toBe(digestOf(index));
    expect(resolved.image.manifest.layers[0]?.digest).toBe(blob.digest);
    expect(registry.seen[0]?.headers.accept).toContain(MEDIA_TYPE.dockerIndex);
    await expect(resolveImage(await open(), { ...query, platform: { os: "linux", architecture: "s390x" } })).rejects.toThrow(
      "no matching manifest for linux/s390x in the manifest list entries",
    );
  });

  test.each<[string, Buffer, string]>([
    ["another digest", Buffer.from("{}"), "manifest verification failed for digest"],
    ["no JSON", Buffer.from("<html>"), "manifest verification failed"],
  ])("by digest, %s is refused", async (_name, bytes, message) => {
    registry.handler = (_request, response) => void response.end(bytes);
    await expect(fetchManifest(await open(), blob.digest, signal)).rejects.toThrow(message);
  });

  test.each<[string, Buffer | string, string]>([
    ["what is no JSON", "<html>", "manifest is not JSON"],
    [
      "schema 1",
      JSON.stringify({ schemaVersion: 1, mediaType: "application/vnd.docker.distribution.manifest.v1+json" }),
      "unsupported manifest media type",
    ],
    ["a digest of no known kind", manifestOf({ config: { mediaType: "x", digest: "md5:1", size: 1 } }), "is malformed"],
    ["a negative size", manifestOf({ layers: [{ mediaType: "x", digest: blob.digest, size: -1 }] }), "is malformed"],
    ["one that is too large", Buffer.alloc(5 * 2 ** 20, " "), "larger than"],
  ])("by tag, %s is refused", async (_name, bytes, message) => {
    registry.handler = (_request, response) => void response.end(bytes);
    await expect(fetchManifest(await open(), "v1", signal)).rejects.toThrow(message);
  });

  test("HEAD tells digest and size", async () => {
    registry.handler = (_request, response) =>
      void response
        .writeHead(200, { "docker-content-digest": blob.digest, "content-length": 7, "content-type": MEDIA_TYPE.ociManifest })
        .end();
    expect(await findManifest(await open(), "v1", signal)).toEqual({
      digest: blob.digest,
      mediaType: MEDIA_TYPE.ociManifest,
      sizeBytes: 7,
    });
    registry.handler = (_request, response) => void response.writeHead(404).end();
    expect(await findManifest(await open(), "v1", signal)).toBeUndefined();
  });
});

describe("errors have Docker's words", () => {
  test.each<[number, string, string, string, string]>([
    [
      404,
      "MANIFEST_UNKNOWN",
      "manifest unknown",
      "not_found",
      "manifest for HOST/team/app:v1 not found: manifest unknown: manifest unknown",
    ],
    [
      404,
      "NAME_UNKNOWN",
      "repository name not known to registry",
      "not_found",
      "repository HOST/team/app not found: name unknown: repository name not known to registry",
    ],
    [
      401,
      "UNAUTHORIZED",
      "authentication required",
      "not_found",
      "pull access denied for HOST/team/app, repository does not exist or may require 'docker login': unauthorized: authentication required",
    ],
    [
      403,
      "DENIED",
      "requested access to the resource is denied",
      "not_found",
      "pull access denied for HOST/team/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    ],
    [429, "TOOMANYREQUESTS", "slow down\u001b[31m", "rate_limited", "toomanyrequests: slow down [31m"],
  ])("%i %s", async (...[status, code, message, expectedCode, expected]) => {
    registry.handler = (_request, response) => void response.writeHead(status).end(errorBody(code, message));
    await expect(fetchManifest(await open(), "v1", signal)).rejects.toMatchObject({
      code: expectedCode,
      message: expected.replaceAll("HOST", registry.host),
    });
  });

  test("an endless error body is cut", async () => {
    registry.handler = (_request, response) => {
      response.writeHead(400);
      const more = (): void =>
        void (response.writableEnded || response.destroyed || response.write(Buffer.alloc(65_536), () => setImmediate(more)));
      more();
    };
    await expect(fetchManifest(await open(), "v1", signal)).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringContaining("status: 400"),
    });
  });

  test("errors that pass are tried again, others are not", async () => {
    let left = 2;
    registry.handler = (_request, response) =>
      void (left-- > 0 ? response.writeHead(503, { "retry-after": "0" }).end() : response.end(manifestOf()));
    expect((await fetchManifest(await open(), "v1", signal)).kind).toBe("manifest");
    registry.seen.length = 0;
    registry.handler = (_request, response) => void response.writeHead(400).end();
    await expect(fetchManifest(await open(), "v1", signal)).rejects.toThrow();
    expect(registry.seen).toHaveLength(1);
  });
});

describe("authentication", () => {
  const bearer = (realm: string): string => `Bearer realm="${realm}",service="reg",scope="repository:team/app:pull"`;
  const credentials = { username: "ann", password: "s3cret" };

  test("a token is fetched with the credentials, scoped, kept and renewed when it is refused", async () => {
    let issued = 0;
    registry.handler = (request, response) => {
      if (request.url?.startsWith("/token") === true) return void response.end(JSON.stringify({ token: `t${++issued}`, expires_in: 300 }));
      if (
        request.headers.authorization !== `Bearer t${Math.max(1, issued)}` ||
        (issued === 1 && request.url?.endsWith("/second") === true)
      ) {
        return void response.writeHead(401, { "www-authenticate": bearer(`http://${registry.host}/token`) }).end();
      }
      response.end(manifestOf());
    };
    const repository = await open({ credentials });
    await fetchManifest(repository, "first", signal);
    await fetchManifest(repository, "first", signal);
    await fetchManifest(repository, "second", signal);
    const tokens = registry.seen.filter(({ url }) => url.startsWith("/token"));
    expect(tokens.map(({ url }) => url)).toEqual(Array(2).fill("/token?service=reg&scope=repository%3Ateam%2Fapp%3Apull&account=ann"));
    expect(tokens[0]?.headers.authorization).toBe(`Basic ${Buffer.from("ann:s3cret").toString("base64")}`);
  });

  test("requests beside each other share one token", async () => {
    registry.handler = (request, response) => {
      if (request.url?.startsWith("/token") === true) return void response.end(JSON.stringify({ token: "t" }));
      const isKnown = request.headers.authorization === "Bearer t";
      response
        .writeHead(isKnown ? 200 : 401, { "www-authenticate": bearer(`http://${registry.host}/token`) })
        .end(isKnown ? manifestOf() : "");
    };
    const repository = await open();
    await Promise.all(["a", "b", "c", "d"].map((tag) => fetchManifest(repository, tag, signal)));
    expect(registry.calls.filter((call) => call.includes("/token"))).toHaveLength(1);
  });

  test("an answer that comes byte after byte is left", async () => {
    registry.handler = (_request, response) => {
      const timer = setInterval(() => response.write(" "), 20);
      response.on("close", () => clearInterval(timer));
    };
    await expect(fetchManifest(await open({ stallTimeoutMs: 100 }), "v1", signal)).rejects.toThrow("stalled");
  });

  test("an identity token is exchanged by POST, Basic is used when asked for, wrong credentials are tried once", async () => {
    let form = "";
    registry.handler = async (request, response) => {
      if (request.method === "POST") {
        for await (const chunk of request) form += String(chunk);
        return void response.end(JSON.stringify({ access_token: "t" }));
      }
      const isKnown = request.headers.authorization === "Bearer t";
      response
        .writeHead(isKnown ? 200 : 401, { "www-authenticate": bearer(`http://${registry.host}/token`) })
        .end(isKnown ? manifestOf() : "");
    };
    await fetchManifest(await open({ credentials: { identitytoken: "id" } }), "v1", signal);
    expect(Object.fromEntries(new URLSearchParams(form))).toMatchObject({
      grant_type: "refresh_token",
      refresh_token: "id",
      service: "reg",
    });

    registry.seen.length = 0;
    registry.handler = (_request, response) =>
      void response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end(errorBody("UNAUTHORIZED", "no"));
    await expect(fetchManifest(await open({ credentials }), "v1", signal)).rejects.toMatchObject({
      code: "unauthenticated",
      message: "unauthorized: no",
    });
    expect(registry.seen.map(({ headers }) => headers.authorization?.slice(0, 5))).toEqual([undefined, "Basic"]);
  });

  test.each<[string, string]>([
    ["another origin inside", "http://OTHER/token"],
    ["TLS to an inside address", "https://127.0.0.1/token"],
    ["the metadata service", "https://169.254.169.254/token"],
    ["a decimal address", "https://2130706433/"],
    ["a mapped address", "https://[::ffff:127.0.0.1]/"],
    ["a name that resolves inside", "https://localhost/token"],
    ["no URL", "token"],
    ["a file", "file:///etc/passwd"],
    ["credentials in it", "https://a:b@example.com/"],
  ])("a realm at %s is refused", async (_name, realm) => {
    registry.handler = (_request, response) =>
      void response.writeHead(401, { "www-authenticate": bearer(realm.replace("OTHER", other.host)) }).end();
    await expect(fetchManifest(await open({ credentials }), "v1", signal)).rejects.toMatchObject({ code: "forbidden" });
    expect(other.seen).toEqual([]);
  });

  test("a realm at an origin that the operator allowed is used", async () => {
    other.handler = (_request, response) => void response.end(JSON.stringify({ token: "t" }));
    registry.handler = (request, response) => {
      const isKnown = request.headers.authorization === "Bearer t";
      response
        .writeHead(isKnown ? 200 : 401, { "www-authenticate": bearer(`http://${other.host}/token`) })
        .end(isKnown ? manifestOf() : "");
    };
    const repository = await open({ credentials, settings: { allowedOrigins: [`http://${other.host}`] } });
    expect((await fetchManifest(repository, "v1", signal)).kind).toBe("manifest");
  });

  test("login is checked against the base", async () => {
    registry.handler = (request, response) =>
      void response.writeHead(request.headers.authorization === undefined ? 401 : 200, { "www-authenticate": 'Basic realm="x"' }).end();
    await open();
    await clients[0]!.checkLogin(registry.host, credentials, signal);
    await expect(clients[0]!.checkLogin(registry.host, undefined, signal)).rejects.toMatchObject({ code: "unauthenticated" });
    registry.handler = (_request, response) => void response.writeHead(404).end();
    await expect(clients[0]!.checkLogin(registry.host, credentials, signal)).rejects.toThrow("does not speak the registry's protocol");
  });
});

describe("redirects", () => {
  const redirectTo =
    (url: string): Handler =>
    (_request, response) =>
      void response.writeHead(307, { location: url }).end();

  test("to an allowed origin are followed without the registry's credentials", async () => {
    other.handler = serveBlob();
    registry.handler = (request, response) => {
      if (request.headers.authorization === undefined) return void response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      return redirectTo(`http://${other.host}/data`)(request, response);
    };
    const repository = await open({
      credentials: { username: "u", password: "p" },
      settings: { allowedOrigins: [`http://${other.host}`] },
    });
    expect(digestOf((await download(repository)).bytes)).toBe(blob.digest);
    expect(other.seen[0]?.headers.authorization).toBeUndefined();
  });

  test.each(["http://OTHER/x", "https://127.0.0.1:1/x", "https://10.0.0.1/x", "https://[fd00::1]/x", "https://localhost/x", "gopher://x/"])(
    "to %s are refused",
    async (url) => {
      registry.handler = redirectTo(url.replace("OTHER", other.host));
      await expect(download(await open())).rejects.toMatchObject({ code: "forbidden" });
      expect(other.seen).toEqual([]);
    },
  );

  test("in a circle end", async () => {
    registry.handler = redirectTo("/again");
    await expect(fetchManifest(await open(), "v1", signal)).rejects.toThrow("stopped after 5 redirects");
  });
});

test("a mirror is asked first, without the registry's credentials, and left when it is wrong", async () => {
  registry.handler = (_request, response) => void response.end(manifestOf());
  const settings = { mirrors: [`http://${other.host}`] };
  const credentials = { username: "u", password: "p", registrytoken: "tok" };
  await fetchManifest(await open({ settings, credentials }), "v1", signal);
  other.handler = (_request, response) => void response.end("<html>");
  await fetchManifest(await open({ settings, credentials }), "v1", signal);
  other.handler = (_request, response) => void response.end(manifestOf());
  registry.seen.length = 0;
  await fetchManifest(await open({ settings, credentials }), "v1", signal);
  expect(registry.calls).toEqual([]);
  expect(other.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
});

test("tags are listed over all pages of the repository, and a circle ends", async () => {
  registry.handler = (request, response) => {
    const isFirst = !request.url?.includes("last=");
    response.setHeader("link", `<http://elsewhere.example/v2/other/tags/list?last=b&n=2>; rel="next"`);
    response.end(JSON.stringify({ tags: isFirst ? ["a", "b"] : ["c"] }));
  };
  expect(await listTags(await open(), { pageSize: 2, maxTags: 100, signal })).toEqual(["a", "b", "c"]);
  await expect(listTags(await open(), { pageSize: 2, maxTags: 1, signal })).rejects.toMatchObject({ code: "too_large" });
});

describe("pushing", () => {
  type Uploads = {
    stored: Map<string, Buffer>;
    parts: Map<string, Buffer>;
    manifests: Map<string, Buffer>;
    cutOnce?: number;
    forgetOnce?: boolean;
    canMount?: boolean;
  };

  /** A registry that stores; `cutOnce` breaks the first PATCH after so many bytes. */
  function storing(uploads: Uploads): Handler {
    return async (request, response) => {
      const url = new URL(request.url ?? "/", "http://x");
      const name = url.pathname.split("/").at(-1) ?? "";
      if (request.method === "HEAD") return void response.writeHead(uploads.stored.has(name) ? 200 : 404).end();
      if (request.method === "POST") {
        if (url.searchParams.has("mount") && uploads.canMount === true) return void response.writeHead(201).end();
        const id = `u${uploads.parts.size}`;
        uploads.parts.set(id, Buffer.alloc(0));
        return void response.writeHead(202, { location: `/v2/team/app/blobs/uploads/${id}?state=1` }).end();
      }
      if (url.pathname.includes("/manifests/")) {
        const chunks: Buffer[] = [];
        for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
        const bytes = Buffer.concat(chunks);
        uploads.manifests.set(name, bytes);
        return void response.writeHead(201, { "docker-content-digest": digestOf(bytes) }).end();
      }
      const part = uploads.parts.get(name);
      if (part === undefined) return void response.writeHead(404).end(errorBody("BLOB_UPLOAD_UNKNOWN", "gone"));
      const location = `/v2/team/app/blobs/uploads/${name}?state=2`;
      if (request.method === "GET") return void response.writeHead(204, { location, range: `0-${part.length - 1}` }).end();
      if (request.method === "PUT") {
        const digest = url.searchParams.get("digest") ?? "";
        const isRight = `sha256:${createHash("sha256").update(part).digest("hex")}` === digest;
        if (isRight) uploads.stored.set(digest, part);
        return void response.writeHead(isRight ? 201 : 400).end();
      }
      let received = part;
      for await (const chunk of request as AsyncIterable<Buffer>) {
        received = Buffer.concat([received, chunk]);
        uploads.parts.set(name, received);
        if (uploads.cutOnce !== undefined && received.length >= uploads.cutOnce) {
          delete uploads.cutOnce;
          if (uploads.forgetOnce === true) uploads.parts.delete(name);
          return void request.destroy();
        }
      }
      response.writeHead(202, { location, range: `0-${received.length - 1}` }).end();
    };
  }
  const fresh = (extra: Partial<Uploads> = {}): Uploads => ({ stored: new Map(), parts: new Map(), manifests: new Map(), ...extra });
  async function* chunksFrom(bytes: Buffer, offset: number): AsyncGenerator<Buffer> {
    for (let at = offset; at < bytes.length; at += 10_000) yield bytes.subarray(at, Math.min(bytes.length, at + 10_000));
  }
  const opened: number[] = [];
  async function push(uploads: Uploads, mountFrom: string[] = []): Promise<{ result: string; progress: PushProgress[] }> {
    registry.handler = storing(uploads);
    opened.length = 0;
    const progress: PushProgress[] = [];
    const open_ = (offset: number): AsyncIterable<Buffer> => {
      opened.push(offset);
      return chunksFrom(blobBytes, offset);
    };
    const result = await pushBlob(await open({ action: "push" }), {
      blob,
      open: open_,
      mountFrom,
      onProgress: (item) => progress.push(item),
      signal,
    });
    return { result, progress };
  }

  test("a blob is sent once and not again", async () => {
    const uploads = fresh();
    const { result, progress } = await push(uploads);
    expect(result).toBe("pushed");
    expect(statuses(progress)).toEqual(["Pushing", "Pushed"]);
    expect(uploads.stored.get(blob.digest)?.equals(blobBytes)).toBe(true);
    expect(await push(uploads)).toEqual({ result: "exists", progress: [{ status: "Layer already exists", digest: blob.digest }] });
  });

  test("a blob is mounted, or sent in the upload that was begun instead", async () => {
    expect(await push(fresh({ canMount: true }), ["team/base"])).toMatchObject({
      result: "mounted",
      progress: [{ status: "Mounted from", repository: "team/base" }],
    });
    expect(registry.calls.at(-1)).toBe(`POST /v2/team/app/blobs/uploads/?mount=${encodeURIComponent(blob.digest)}&from=team%2Fbase`);
    registry.seen.length = 0;
    const uploads = fresh();
    expect(await push(uploads, ["team/base"])).toMatchObject({ result: "pushed" });
    expect(uploads.parts.size).toBe(1);
  });

  test("an upload that breaks goes on from what the registry has", async () => {
    const uploads = fresh({ cutOnce: 150_000 });
    expect((await push(uploads)).result).toBe("pushed");
    expect(opened).toHaveLength(2);
    expect(opened[1]).toBeGreaterThanOrEqual(150_000);
    expect(uploads.parts.size).toBe(1);
  });

  test("an upload that the registry forgot is begun anew", async () => {
    const uploads = fresh({ cutOnce: 150_000, forgetOnce: true });
    expect((await push(uploads)).result).toBe("pushed");
    expect(opened).toEqual([0, 0]);
  });

  test("an upload location inside is refused", async () => {
    registry.handler = (request, response) =>
      void response.writeHead(request.method === "POST" ? 202 : 404, { location: `http://${other.host}/steal` }).end();
    const upload = { blob, open: (offset: number) => chunksFrom(blobBytes, offset), mountFrom: [], onProgress: () => undefined, signal };
    await expect(pushBlob(await open({ action: "push" }), upload)).rejects.toMatchObject({ code: "forbidden" });
    expect(other.seen).toEqual([]);
  });

  test("an image's manifest follows its blobs, and not when one of them fails", async () => {
    const uploads = fresh();
    registry.handler = storing(uploads);
    const bytes = manifestOf();
    const manifest = {
      schemaVersion: 2 as const,
      config: { mediaType: "c", digest: digestOf(config), size: config.length },
      layers: [{ mediaType: "l", ...blob }],
    };
    const progress: PushProgress[] = [];
    const image = {
      reference: "v1",
      manifest,
      bytes,
      mediaType: MEDIA_TYPE.ociManifest,
      open: (item: { digest: Digest }, offset: number) => chunksFrom(item.digest === blob.digest ? blobBytes : config, offset),
      mountFrom: () => [],
      onProgress: (item: PushProgress) => void progress.push(item),
      signal,
    };
    expect(await pushImage(await open({ action: "push" }), image)).toEqual({ digest: digestOf(bytes), sizeBytes: bytes.length });
    expect(uploads.manifests.get("v1")?.equals(bytes)).toBe(true);
    expect(statuses(progress)).toEqual(["Preparing", "Pushing", "Pushed"]);

    const failing = fresh();
    registry.handler = (request, response) =>
      request.method === "PUT" ? void response.writeHead(403).end(errorBody("DENIED", "quota")) : storing(failing)(request, response);
    await expect(pushImage(await open({ action: "push" }), image)).rejects.toMatchObject({ code: "forbidden", message: "denied: quota" });
    expect(failing.manifests.size).toBe(0);
  });
});

test("partial files of finished blobs can be taken away", async () => {
  registry.handler = serveBlob();
  await download(await open());
  {
    await using partial = await partialOf();
    expect(digestOf(await readFile(partial.dataPath))).toBe(blob.digest);
    await partial.remove();
  }
  expect(await readdir(directory)).toEqual([]);
  expect(isFlotillaError(undefined)).toBe(false);
});
