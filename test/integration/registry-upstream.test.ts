import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collectGarbage, evictUnused, LEASE_MS, type ServiceContext, type UpstreamPullsOptions, UpstreamPulls } from "@flotilla/services";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { docker, runCommand } from "../support/docker.ts";
import { DockerRegistry } from "../support/docker-registry.ts";
import { type Dockerd, startDockerd } from "../support/dockerd.ts";
import { until } from "../support/linked-agent.ts";
import { digestOf, errorOf, registryClient, type RegistryClient } from "../support/registry-client.ts";
import { TestUpstream } from "../support/upstream.ts";

// Pulling through other registries: Debian's docker-registry, and ones that lie.
let control: TestControl;
let client: RegistryClient;
let upstream: TestUpstream;
let dir: string;

const HTPASSWD = "ann:$2b$04$rt0Z3al5xpLt70maeJNdm.M1wVIsq5rfrOpBJGj7wgHYFcBk71qf2\n";
const mutate = (path: string, input: unknown): Promise<unknown> => control.call(path, input, { kind: "mutation", token: ADMIN_TOKEN });
const add = (name: string, url: string, more: object = {}): Promise<unknown> =>
  mutate("registry.upstreams.create", { name, url, allowsPrivate: true, ...more });
const get = (path: string, init?: RequestInit): Promise<Response> => client.fetch(`/v2/${path}`, init);
const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());
const asked = (what: RegExp): number => upstream.asked.filter((line) => what.test(line)).length;
const later = (ms: number): ServiceContext => ({ ...control.services, nowMs: () => Date.now() + ms });
const blobFiles = (): string[] => {
  const root = join(control.dir, "control", "registry");
  return existsSync(root) ? readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => /\.|uploads\/./.test(name)) : [];
};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "flu-"));
  control = await startTestControl({ withAdmin: true });
  client = registryClient(control, ADMIN_TOKEN);
  const { prisma, registry, nowMs } = control.services;
  // The same with less patience, so that what never answers is given up within the test.
  const options: UpstreamPullsOptions = {
    prisma,
    sealKey: registry.sealKey,
    nowMs,
    userAgent: "test",
    limits: { headersTimeoutMs: 700, stallTimeoutMs: 500, maxAttempts: 2, backoffMaxMs: 50 },
  };
  Object.assign(registry, { upstreams: new UpstreamPulls(options) });
});
beforeEach(async () => {
  upstream = await TestUpstream.start();
  await add("mirror", upstream.url, { tagTtlSeconds: 300 });
});
afterEach(async () => {
  await mutate("registry.upstreams.remove", { name: "mirror" });
  await upstream[Symbol.asyncDispose]();
  await control.services.prisma.registryQuota.deleteMany();
});
afterAll(async () => {
  await control.services.registry.upstreams.close();
  await control.close();
  rmSync(dir, { recursive: true, force: true });
});

describe("pulling through", () => {
  test("a manifest and its blobs come from the upstream once, and from here afterwards", async () => {
    const image = upstream.addImage("lib/app", "v1");
    const manifest = await get("team/mirror/lib/app/manifests/v1");
    expect([manifest.status, manifest.headers.get("docker-content-digest")]).toEqual([200, image.digest]);
    expect(digestOf(await bytesOf(manifest))).toBe(image.digest);
    for (let round = 0; round < 2; round++) {
      for (const digest of [image.layer, image.config]) {
        const head = await get(`team/mirror/lib/app/blobs/${digest}`, { method: "HEAD" });
        expect(head.status).toBe(200);
        expect(digestOf(await bytesOf(await get(`team/mirror/lib/app/blobs/${digest}`)))).toBe(digest);
      }
      await until(async () => (await control.services.prisma.registryWanted.count()) === 0);
    }
    expect(asked(/^GET .*blobs/)).toBe(2);
    await get("team/mirror/lib/app/manifests/v1");
    await get(`team/mirror/lib/app/manifests/${image.digest}`);
    expect(asked(/manifests/)).toBe(2);
    const detail = (await control.call(
      "registry.manifests.get",
      { repository: "team/mirror/lib/app", reference: "v1" },
      { token: ADMIN_TOKEN },
    )) as { layers: unknown[] };
    expect(detail.layers).toHaveLength(1);
  });

  test("many clients of one blob share one fetch, and each gets all of it while it comes in", async () => {
    const image = upstream.addImage("big", "v1", randomBytes(9 * 1024 * 1024));
    await get("team/mirror/big/manifests/v1");
    const gate = Promise.withResolvers<void>();
    upstream.misbehave = (_req, res, content) => {
      if (content?.bytes.length !== image.layerBytes.length) return false;
      res.writeHead(200, { "content-length": content.bytes.length });
      res.write(content.bytes.subarray(0, 5 * 1024 * 1024));
      void gate.promise.then(() => res.end(content.bytes.subarray(5 * 1024 * 1024)));
      return true;
    };
    const first = await get(`team/mirror/big/blobs/${image.layer}`);
    const reader = first.body?.getReader();
    let early = 0;
    // Bytes are here before the upstream has sent its last.
    while (early < 4 * 1024 * 1024) early += (await reader?.read())?.value?.length ?? 0;
    const rest = Array.from({ length: 8 }, async (_, at) =>
      bytesOf(await get(`team/mirror/big/blobs/${image.layer}`, at === 0 ? { headers: { range: "bytes=100-6000000" } } : {})),
    );
    gate.resolve();
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done) break;
      early += value?.length ?? 0;
    }
    expect(early).toBe(image.layerBytes.length);
    const [part, ...whole] = await Promise.all(rest);
    expect(part?.equals(image.layerBytes.subarray(100, 6_000_001))).toBe(true);
    for (const bytes of whole) expect(digestOf(bytes)).toBe(image.layer);
    expect(asked(/^GET .*blobs/)).toBe(1);
  });

  test("an index and the one image of it that a client wants", async () => {
    const [one, two] = [upstream.addImage("multi", "a"), upstream.addImage("multi", "b")];
    const index = upstream.addIndex("multi", "latest", [one.digest, two.digest]);
    expect((await get("team/mirror/multi/manifests/latest")).headers.get("docker-content-digest")).toBe(index);
    expect((await get(`team/mirror/multi/manifests/${one.digest}`)).status).toBe(200);
    expect(await bytesOf(await get(`team/mirror/multi/blobs/${one.layer}`))).toEqual(one.layerBytes);
    expect((await get(`team/mirror/multi/blobs/${two.layer}`)).status).toBe(404);
    await until(async () => (await control.services.prisma.registryChild.count()) === 1);
    // Moves the index's row behind its image's: removing the upstream must not depend on their order.
    await control.services.prisma.registryManifest.updateMany({ where: { digest: index }, data: { pushedAt: new Date() } });
    // The image cannot go before the index that names it.
    expect((await get(`team/mirror/multi/manifests/${one.digest}`, { method: "DELETE" })).status).toBe(403);
  });

  test("a tag is asked for again after its time: what is the same is not fetched, what moved is, what is gone is gone", async () => {
    await control.services.prisma.registryUpstream.updateMany({ data: { tagTtlSeconds: 0 } });
    control.services.cache.clear();
    const first = upstream.addImage("app", "v1");
    await get("team/mirror/app/manifests/v1");
    await get("team/mirror/app/manifests/v1");
    expect([asked(/^HEAD .*v1/), asked(/^GET .*manifests/)]).toEqual([2, 1]);
    const second = upstream.addImage("app", "v1");
    expect((await get("team/mirror/app/manifests/v1")).headers.get("docker-content-digest")).toBe(second.digest);
    expect((await get(`team/mirror/app/manifests/${first.digest}`)).status).toBe(200);
    upstream.removeTag("app", "v1");
    expect(await errorOf(await get("team/mirror/app/manifests/v1"))).toMatchObject({ status: 404, code: "MANIFEST_UNKNOWN" });
    expect((await get(`team/mirror/app/manifests/${second.digest}`)).status).toBe(200);
  });

  test("with the upstream away a tag is served as it was, and says so; what is not here is 503", async () => {
    await control.services.prisma.registryUpstream.updateMany({ data: { tagTtlSeconds: 0 } });
    control.services.cache.clear();
    const image = upstream.addImage("app", "v1");
    expect((await get("team/mirror/app/manifests/v1")).headers.get("warning")).toBeNull();
    upstream.misbehave = (_req, res) => (res.writeHead(500).end(), true);
    const stale = await get("team/mirror/app/manifests/v1");
    expect([stale.status, stale.headers.get("warning"), stale.headers.get("docker-content-digest")]).toEqual([
      200,
      '110 - "Response is Stale"',
      image.digest,
    ]);
    await upstream[Symbol.asyncDispose]();
    expect((await get("team/mirror/app/manifests/v1")).headers.get("warning")).toContain("110");
    expect((await get("team/mirror/app/manifests/v2")).status).toBe(503);
    const [row] = (await control.call("registry.upstreams.list", undefined, { token: ADMIN_TOKEN })) as { lastError: string }[];
    expect(row?.lastError).toBeTruthy();
    upstream = await TestUpstream.start();
  });

  test("nobody pushes into a copy", async () => {
    expect((await get("team/mirror/app/blobs/uploads/", { method: "POST" })).status).toBe(403);
    await expect(mutate("registry.repositories.create", { repository: "team/mirror/app" })).rejects.toMatchObject({ code: "FORBIDDEN" });
  });

  test("other teams, strangers and nobody get nothing of it", async () => {
    upstream.addImage("app", "v1");
    await get("team/mirror/app/manifests/v1");
    const anonymous = registryClient(control, undefined);
    const there = await anonymous.fetch("/v2/team/mirror/app/manifests/v1");
    const nowhere = await anonymous.fetch("/v2/team/mirror/nothing/manifests/v1");
    expect([there.status, nowhere.status]).toEqual([401, 401]);
    expect(asked(/nothing/)).toBe(0);
  });
});

describe("an upstream that lies", () => {
  const blobOf = async (): Promise<{ path: string; layer: string }> => {
    const { layer } = upstream.addImage("app", "v1", randomBytes(2 * 1024 * 1024 + 17));
    await get("team/mirror/app/manifests/v1");
    return { path: `team/mirror/app/blobs/${layer}`, layer };
  };
  /** The answer's status, and whether its body was whole. */
  const tryBlob = async (path: string): Promise<{ status: number; isWhole: boolean }> => {
    const response = await get(path);
    const isWhole = await response.arrayBuffer().then(
      (body) => body.byteLength === Number(response.headers.get("content-length")),
      () => false,
    );
    return { status: response.status, isWhole: isWhole && response.status === 200 };
  };
  const isBlob = (content: { bytes: Buffer } | undefined): content is { bytes: Buffer; type: string } =>
    (content?.bytes.length ?? 0) > 1024 * 1024;

  const LIES: [string, (bytes: Buffer) => { headers: Record<string, string | number>; body: Buffer; end: boolean }][] = [
    [
      "other bytes of the right length",
      (bytes) => ({ headers: { "content-length": bytes.length }, body: randomBytes(bytes.length), end: true }),
    ],
    [
      "one byte that is wrong, the last",
      (bytes) => ({
        headers: { "content-length": bytes.length },
        body: Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])]),
        end: true,
      }),
    ],
    ["too few bytes", (bytes) => ({ headers: {}, body: bytes.subarray(0, -5), end: true })],
    ["too many bytes", (bytes) => ({ headers: {}, body: Buffer.concat([bytes, Buffer.from("more")]), end: true })],
    ["another length than it says", (bytes) => ({ headers: { "content-length": bytes.length + 1 }, body: bytes, end: true })],
    [
      "nothing after half of it",
      (bytes) => ({ headers: { "content-length": bytes.length }, body: bytes.subarray(0, bytes.length / 2), end: false }),
    ],
  ];
  test.each(LIES)("%s: nobody gets a whole blob, nothing stays, and the next try is a new one", async (_what, lie) => {
    const { path } = await blobOf();
    upstream.misbehave = (_req, res, content) => {
      if (!isBlob(content)) return false;
      const { headers, body, end } = lie(content.bytes);
      res.writeHead(200, headers);
      if (end) res.end(body);
      else res.write(body);
      return true;
    };
    const before = blobFiles();
    expect((await tryBlob(path)).isWhole).toBe(false);
    await until(() => blobFiles().length === before.length);
    upstream.misbehave = undefined;
    await until(async () => (await tryBlob(path)).isWhole);
  });

  test("a connection that breaks is taken up where it broke", async () => {
    const { path } = await blobOf();
    let breaks = 3;
    upstream.misbehave = (req, res, content) => {
      if (!isBlob(content) || breaks-- <= 0) return false;
      const start = Number(/^bytes=(\d+)-/.exec(req.headers.range ?? "")?.[1] ?? 0);
      const range = start === 0 ? {} : { "content-range": `bytes ${start}-${content.bytes.length - 1}/${content.bytes.length}` };
      res.writeHead(start === 0 ? 200 : 206, { "content-length": content.bytes.length - start, ...range });
      res.write(content.bytes.subarray(start, start + 400_000), () => setTimeout(() => res.destroy(), 20));
      return true;
    };
    expect((await tryBlob(path)).isWhole).toBe(true);
    expect(asked(/^GET .*blobs/)).toBe(4);
  });

  test("a manifest with another digest than it says, or that is none, is not taken", async () => {
    upstream.addImage("app", "v1");
    upstream.misbehave = (req, res, content) => {
      if (content?.type.includes("manifest") !== true || req.method !== "GET") return false;
      return (res.writeHead(200, { "content-type": content.type }).end('{"schemaVersion":2}'), true);
    };
    expect((await get("team/mirror/app/manifests/v1")).status).toBe(503);
    expect(await control.services.prisma.registryManifest.count()).toBe(0);
  });

  test("a redirect inside, a token server inside: refused, and the credentials stay here", async () => {
    await using inside = await TestUpstream.start();
    const { path } = await blobOf();
    upstream.misbehave = (_req, res, content) => isBlob(content) && (res.writeHead(307, { location: `${inside.url}/secret` }).end(), true);
    expect(await errorOf(await get(path))).toMatchObject({ status: 403, code: "DENIED" });
    await add("locked", upstream.url, { username: "ann", password: "hunter2" });
    upstream.misbehave = (_req, res) => (
      res.writeHead(401, { "www-authenticate": `Bearer realm="${inside.url}/token",service="x"` }).end(),
      true
    );
    const refused = await errorOf(await get("team/locked/app/manifests/v1"));
    expect([refused.status, refused.message]).toEqual([403, expect.stringMatching(/not said to be its own/)]);
    expect(inside.asked).toEqual([]);
    expect(inside.authorizations).toEqual([]);
    await mutate("registry.upstreams.remove", { name: "locked" });
  });

  test("an address that is not public is refused unless the administrator allowed it", async () => {
    await add("inside", upstream.url.replace("http:", "https:"), { allowsPrivate: false });
    await add("named", `https://localhost:${upstream.host.split(":")[1] ?? ""}`, { allowsPrivate: false });
    for (const name of ["inside", "named"]) {
      expect(await errorOf(await get(`team/${name}/app/manifests/v1`)), name).toMatchObject({ status: 403, code: "DENIED" });
      expect(await mutate("registry.upstreams.test", { name })).toMatchObject({
        isReached: false,
        message: expect.stringMatching(/public/) as string,
      });
      await mutate("registry.upstreams.remove", { name });
    }
    expect(upstream.asked).toEqual([]);
    await expect(add("plain", "http://registry.example.org", { allowsPrivate: false })).rejects.toThrow(/plain HTTP/);
  });
});

describe("quota and clean-up", () => {
  const pull = async (name: string): Promise<string> => {
    const image = upstream.addImage(name, "v1", randomBytes(100_000));
    await get(`team/mirror/${name}/manifests/v1`);
    for (const digest of [image.layer, image.config]) await bytesOf(await get(`team/mirror/${name}/blobs/${digest}`));
    await until(async () => (await control.services.prisma.registryWanted.count()) === 0);
    return image.digest;
  };
  const age = (name: string, minutes: number): Promise<unknown> =>
    control.services.prisma.registryManifest.updateMany({
      where: { repository: { path: `team/mirror/${name}` } },
      data: { pulledAt: new Date(Date.now() - minutes * 60_000) },
    });
  const here = async (): Promise<string[]> => {
    const rows = await control.services.prisma.registryManifest.findMany({
      where: { repository: { path: { startsWith: "team/mirror/" } } },
      include: { repository: true },
    });
    return rows.map(({ repository }) => repository.path.slice("team/mirror/".length)).toSorted();
  };

  test("a push takes the place of what was cached, least recently pulled first, and never of what is being pulled", async () => {
    for (const name of ["a", "b", "c"]) await pull(name);
    await age("a", 60);
    await age("b", 120);
    const { usedBytes } = (await control.call("registry.usage.get", undefined, { token: ADMIN_TOKEN })) as { usedBytes: number };
    await mutate("registry.usage.setQuota", { limitBytes: usedBytes + 20_000 });
    await client.pushBlob("team/own", randomBytes(90_000));
    expect(await here()).toEqual(["a", "c"]);
    await client.pushBlob("team/own", randomBytes(90_000));
    expect(await here()).toEqual(["c"]);
    await expect(client.pushBlob("team/own", randomBytes(190_000))).rejects.toThrow(/quota/);
    expect(await here()).toEqual(["c"]);
    await mutate("registry.repositories.delete", { repository: "team/own" });
  });

  test("the clean-up takes what nobody pulled for long, bytes and all, and leaves the rest whole", async () => {
    await pull("old");
    const kept = await pull("kept");
    await age("old", 31 * 24 * 60);
    await collectGarbage(later(10 * LEASE_MS), { orphanAgeMs: 20 * LEASE_MS });
    expect(await here()).toEqual(["kept"]);
    const named = await control.services.prisma.registryBlob.findMany();
    expect(
      blobFiles()
        .filter((file) => file.startsWith("blobs/"))
        .toSorted(),
    ).toEqual(named.map(({ storageKey }) => storageKey).toSorted());
    upstream.misbehave = (_req, res) => (res.writeHead(500).end(), true);
    expect((await get(`team/mirror/kept/manifests/${kept}`)).status).toBe(200);
  });

  test("an index is evicted before its images, which follow by their own age", async () => {
    const one = upstream.addImage("multi", "a");
    upstream.addIndex("multi", "latest", [one.digest]);
    await get("team/mirror/multi/manifests/latest");
    await get(`team/mirror/multi/manifests/${one.digest}`);
    expect(await evictUnused(later(29 * 86_400_000))).toBe(0);
    expect(await evictUnused(later(31 * 86_400_000))).toBe(2);
    expect(await here()).toEqual([]);
  });

  test("what is larger than the quota is refused before a byte is asked for", async () => {
    const image = upstream.addImage("huge", "v1", randomBytes(300_000));
    await get("team/mirror/huge/manifests/v1");
    await mutate("registry.usage.setQuota", { limitBytes: 50_000 });
    expect(await errorOf(await get(`team/mirror/huge/blobs/${image.layer}`))).toMatchObject({ status: 403, code: "DENIED" });
    expect(asked(/blobs/)).toBe(0);
  });

  test("removing an upstream removes what came from it; a blob that an image of the team shares stays", async () => {
    const layer = randomBytes(5_000);
    await client.pushImage("team/own", "v1", { layer });
    upstream.addImage("shared", "v1", layer);
    await get("team/mirror/shared/manifests/v1");
    // The team has it: nothing is fetched.
    expect(digestOf(await bytesOf(await get(`team/mirror/shared/blobs/${digestOf(layer)}`)))).toBe(digestOf(layer));
    expect(asked(/blobs/)).toBe(0);
    await mutate("registry.upstreams.remove", { name: "mirror" });
    expect((await get("team/mirror/shared/manifests/v1")).status).toBe(404);
    await collectGarbage(later(10 * LEASE_MS), { orphanAgeMs: 20 * LEASE_MS });
    expect((await get(`team/own/blobs/${digestOf(layer)}`)).status).toBe(200);
    await add("mirror", upstream.url);
    await mutate("registry.repositories.delete", { repository: "team/own" });
  });
});

describe("managing upstreams", () => {
  test("passwords are not told and not in the database; names, URLs and authorities are looked at", async () => {
    await add("locked", "https://registry.example.org/", { username: "ann", password: "hunter2-secret" });
    const list = JSON.stringify(await control.call("registry.upstreams.list", undefined, { token: ADMIN_TOKEN }));
    expect(list).toContain('"hasPassword":true');
    const row = await control.services.prisma.registryUpstream.findFirstOrThrow({ where: { name: "locked" } });
    const audit = JSON.stringify(await control.services.prisma.auditRow.findMany());
    for (const text of [list, audit, Buffer.from(row.sealedPassword ?? []).toString("latin1")]) expect(text).not.toContain("hunter2");
    await expect(add("locked", "https://other.example.org")).rejects.toMatchObject({ code: "CONFLICT" });
    for (const bad of [
      { name: "a/b" },
      { name: "UP" },
      { url: "https://a.example/path" },
      { url: "https://u:p@a.example" },
      { url: "ftp://a.example" },
      { ca: "no pem" },
      { username: "only" },
    ])
      await expect(add("fine", "https://a.example", bad), JSON.stringify(bad)).rejects.toMatchObject({ code: "BAD_REQUEST" });
    await mutate("registry.upstreams.remove", { name: "locked" });
    await client.pushImage("team/taken/app", "v1");
    await expect(add("taken", "https://a.example")).rejects.toMatchObject({ code: "CONFLICT" });
    await mutate("registry.repositories.delete", { repository: "team/taken/app" });
  });
});

describe("with others' programs", () => {
  let engine: Dockerd;
  beforeAll(async () => {
    engine = await startDockerd();
    await runCommand(["tar", "-C", "/bin", "-cf", join(dir, "root.tar"), "busybox"]);
    expect(await docker(engine.host, ["import", join(dir, "root.tar"), "base:1"])).toMatchObject({ exitCode: 0 });
  });
  afterAll(() => engine.close());

  test("dockerd pulls through us from Debian's docker-registry with a password, and still does when that is gone", async () => {
    const registry = await DockerRegistry.start({ directory: join(dir, "registry"), htpasswd: HTPASSWD });
    const source = `127.0.0.1:${registry.port}`;
    const config = { DOCKER_CONFIG: join(dir, "docker") };
    const run = (...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> =>
      docker(engine.host, args, { env: config });
    try {
      await docker(engine.host, ["login", source, "-u", "ann", "--password-stdin"], { input: "s3cret", env: config });
      await run("tag", "base:1", `${source}/deep/base:1`);
      expect(await run("push", `${source}/deep/base:1`)).toMatchObject({ exitCode: 0 });
      await add("debian", `http://${source}`, { username: "ann", password: "wrong", tagTtlSeconds: 0 });
      expect(await mutate("registry.upstreams.test", { name: "debian" })).toMatchObject({ isReached: false });
      await mutate("registry.upstreams.remove", { name: "debian" });
      await add("debian", `http://${source}`, { username: "ann", password: "s3cret", tagTtlSeconds: 0 });
      expect(await mutate("registry.upstreams.test", { name: "debian" })).toEqual({ isReached: true, message: null });
      const ours = `127.0.0.1:${control.port}/team/debian/deep/base:1`;
      await docker(engine.host, ["login", `127.0.0.1:${control.port}`, "-u", "any", "--password-stdin"], {
        input: ADMIN_TOKEN,
        env: config,
      });
      const id = (await run("image", "inspect", "--format", "{{.Id}}", "base:1")).stdout;
      await run("rmi", "-f", "base:1", `${source}/deep/base:1`);
      expect(await run("pull", ours)).toMatchObject({ exitCode: 0 });
      expect((await run("image", "inspect", "--format", "{{.Id}}", ours)).stdout).toBe(id);
      await registry[Symbol.asyncDispose]();
      await run("rmi", "-f", ours);
      expect(await run("pull", ours)).toMatchObject({ exitCode: 0 });
    } finally {
      await registry[Symbol.asyncDispose]();
      await mutate("registry.upstreams.remove", { name: "debian" });
    }
  });
});
