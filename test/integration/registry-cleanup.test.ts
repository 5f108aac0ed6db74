import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { collectGarbage, LEASE_MS, type ServiceContext } from "@flotilla/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { digestOf, OCI_INDEX, OCI_MANIFEST, registryClient, type RegistryClient } from "../support/registry-client.ts";

// Clean-up while pushes, deletes and pulls go on, over real Postgres and files.
let control: TestControl;
let client: RegistryClient;

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  client = registryClient(control, ADMIN_TOKEN);
});
afterAll(() => control.close());

/** The services as they are after every lease has ended: what is not named may go now. */
const later = (): ServiceContext => ({ ...control.services, nowMs: () => Date.now() + 10 * LEASE_MS });

const blobFiles = (): string[] => {
  const dir = join(control.dir, "control", "registry", "blobs");
  return existsSync(dir) ? readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((name) => name.includes(".")) : [];
};

/** Everything that a manifest names is there and has its digest. */
async function expectWhole(): Promise<number> {
  const { prisma, registry } = control.services;
  const manifests = await prisma.registryManifest.findMany({ include: { references: { include: { blob: true } } } });
  const seen = new Set<string>();
  for (const { references, repositoryId } of manifests) {
    for (const { blob, digest } of references) {
      expect(await prisma.registryLink.count({ where: { repositoryId, digest } })).toBe(1);
      if (seen.has(digest)) continue;
      seen.add(digest);
      const hash = createHash("sha256");
      for await (const chunk of await registry.storage.read(blob.storageKey)) hash.update(chunk);
      expect(`sha256:${hash.digest("hex")}`).toBe(digest);
    }
  }
  return manifests.length;
}

describe("clean-up", () => {
  test("leaves a fresh blob to its manifest, and takes it once its lease has ended", async () => {
    const digest = await client.pushBlob("team/lease", randomBytes(1000));
    await collectGarbage(control.services, { orphanAgeMs: 0 });
    expect((await client.fetch(`/v2/team/lease/blobs/${digest}`, { method: "HEAD" })).status).toBe(200);
    const result = await collectGarbage(later(), { orphanAgeMs: 0 });
    expect(result).toMatchObject({ phase: "done", deletedBlobs: 1, freedBytes: 1000 });
    expect((await client.fetch(`/v2/team/lease/blobs/${digest}`, { method: "HEAD" })).status).toBe(404);
    expect(blobFiles()).toEqual([]);
  });

  test("keeps what an image names, however old, and takes it with the last image that names it", async () => {
    const layer = randomBytes(2000);
    const first = await client.pushImage("team/one", "v1", { layer });
    await client.pushImage("team/two", "v1", { layer });
    await collectGarbage(later(), { orphanAgeMs: 0 });
    await client.fetch(`/v2/team/one/manifests/${first.digest}`, { method: "DELETE" });
    await collectGarbage(later(), { orphanAgeMs: 0 });
    expect((await client.fetch(`/v2/team/one/blobs/${first.layer}`)).status).toBe(404);
    expect((await client.fetch(`/v2/team/two/blobs/${first.layer}`)).status).toBe(200);
    await control.call("registry.repositories.delete", { repository: "team/two" }, { kind: "mutation", token: ADMIN_TOKEN });
    await collectGarbage(later(), { orphanAgeMs: 0 });
    expect(blobFiles()).toEqual([]);
  });

  test("a repository goes whole, its indexes and their images in whatever order they were pushed", async () => {
    const image = await client.pushImage("team/indexed");
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [{ mediaType: OCI_MANIFEST, digest: image.digest, size: image.size }],
    });
    const put = await client.fetch("/v2/team/indexed/manifests/latest", {
      method: "PUT",
      headers: { "content-type": OCI_INDEX },
      body: index,
    });
    expect(put.status).toBe(201);
    await control.call("registry.repositories.delete", { repository: "team/indexed" }, { kind: "mutation", token: ADMIN_TOKEN });
    expect((await client.fetch("/v2/team/indexed/manifests/latest")).status).toBe(404);
  });

  test("asking for a blob renews its lease, so that a push that relies on it is not broken", async () => {
    const digest = await client.pushBlob("team/renew", randomBytes(100));
    await control.services.prisma.registryLink.updateMany({ where: { digest }, data: { leasedUntil: new Date(Date.now() + 1000) } });
    expect((await client.fetch(`/v2/team/renew/blobs/${digest}`, { method: "HEAD" })).status).toBe(200);
    const soon: ServiceContext = { ...control.services, nowMs: () => Date.now() + 60_000 };
    await collectGarbage(soon, { orphanAgeMs: 0 });
    expect((await client.fetch(`/v2/team/renew/blobs/${digest}`, { method: "HEAD" })).status).toBe(200);
  });

  test("finds files and notes that a kill left behind", async () => {
    const { storage } = control.services.registry;
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("left behind");
    };
    await storage.append("blobs/aa/orphan.1", 0, bytes());
    await storage.append("uploads/0198c5a0-0000-7000-8000-000000000000", 0, bytes());
    await storage.append("blobs/aa/noted.1", 0, bytes());
    await control.services.prisma.registryTrash.create({ data: { storageKey: "blobs/aa/noted.1", size: 11n } });
    // While young they may be about to get their row.
    await collectGarbage(control.services, { orphanAgeMs: 60_000 });
    expect(await storage.stat("blobs/aa/orphan.1")).toBeDefined();
    expect(await storage.stat("blobs/aa/noted.1")).toBeUndefined();
    await collectGarbage(later(), { orphanAgeMs: 0 });
    expect(await storage.stat("blobs/aa/orphan.1")).toBeUndefined();
    expect(await storage.stat("uploads/0198c5a0-0000-7000-8000-000000000000")).toBeUndefined();
    expect(await control.services.prisma.registryTrash.count()).toBe(0);
  });

  // Pushes of images that share few layers, deletes, mounts and clean-ups whose leases have all ended, in random order and
  // beside each other: a push either says 201 and is whole for ever, or says why not.
  test.each([1, 2, 3])("no interleaving loses a blob that an image names (seed %i)", async (seed) => {
    const random = generator(seed);
    const pool = Array.from({ length: 4 }, () => randomBytes(3000));
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    const live = new Map<string, string>();
    const push = async (): Promise<void> => {
      const name = `team/p${Math.floor(random() * 3)}`;
      const tag = `t${Math.floor(random() * 3)}`;
      try {
        const { digest } = await client.pushImage(name, tag, { layer: pick(pool) });
        live.set(`${name}:${tag}`, digest);
      } catch (error) {
        // With leases and uploads that last no time at all a layer may go before its manifest comes: the push is then told so.
        expect(String(error)).toMatch(/BLOB_UNKNOWN|BLOB_UPLOAD_UNKNOWN/);
      }
    };
    const remove = async (): Promise<void> => {
      const entry = pick([...live.entries()]);
      if (entry === undefined) return;
      const [name] = entry[0].split(":");
      expect([202, 404]).toContain((await client.fetch(`/v2/${name}/manifests/${entry[1]}`, { method: "DELETE" })).status);
    };
    const mount = async (): Promise<void> => {
      const digest = digestOf(pick(pool));
      expect([201, 202]).toContain(
        (await client.fetch(`/v2/team/p2/blobs/uploads/?mount=${digest}&from=team/p${Math.floor(random() * 2)}`, { method: "POST" }))
          .status,
      );
    };
    const clean = async (): Promise<void> => void (await collectGarbage(later(), { orphanAgeMs: 20 * LEASE_MS }));
    for (let round = 0; round < 8; round++) {
      const work = Array.from({ length: 10 }, () => pick([push, push, push, remove, mount, clean])());
      await Promise.all(work);
      await expectWhole();
    }
    await Promise.all(Array.from({ length: 4 }, push));
    await collectGarbage(later(), { orphanAgeMs: 0 });
    await expectWhole();
    const named = await control.services.prisma.registryBlob.findMany();
    expect(
      blobFiles()
        .map((file) => `blobs/${file}`)
        .sort(),
    ).toEqual(named.map((blob) => blob.storageKey).sort());
  });
});

describe("the clean-up job", () => {
  test("runs once at a time, says how far it is, and survives its control plane", async () => {
    const { prisma } = control.services;
    await client.pushBlob("team/job", randomBytes(500));
    await prisma.registryLink.updateMany({ data: { leasedUntil: new Date(0) } });
    expect(await control.call("registry.cleanup.preview", undefined, { token: ADMIN_TOKEN })).toMatchObject({
      blobs: expect.any(Number) as number,
    });
    await prisma.registryCleanup.create({ data: { startedBy: "killed", phase: "blobs", heartbeatAt: new Date() } });
    const start = (): Promise<unknown> => control.call("registry.cleanup.start", undefined, { kind: "mutation", token: ADMIN_TOKEN });
    await expect(start()).rejects.toMatchObject({ code: "CONFLICT" });
    await prisma.registryCleanup.updateMany({ data: { heartbeatAt: new Date(Date.now() - 120_000) } });
    const { id } = (await start()) as { id: string };
    await expect
      .poll(async () => prisma.registryCleanup.findUniqueOrThrow({ where: { id } }))
      .toMatchObject({ phase: "done", error: null });
    const killed = await prisma.registryCleanup.findFirstOrThrow({ where: { startedBy: "killed" } });
    expect(killed).toMatchObject({ phase: "failed", error: "the control plane ended meanwhile" });
    expect(await control.call("registry.cleanup.status", undefined, { token: ADMIN_TOKEN })).toMatchObject({ id, phase: "done" });
  });
});

describe("retention", () => {
  test("preview and act agree; untagged images go after their days, signatures with what they sign", async () => {
    const image = await client.pushImage("team/kept", "v1");
    for (const tag of ["v2", "v3"]) await client.pushImage("team/kept", tag);
    const subject = { mediaType: OCI_MANIFEST, digest: image.digest, size: image.size };
    await client.pushImage("team/kept", undefined, { subject, artifactType: "application/vnd.example.signature" });
    const policy = { rules: [{ pattern: "v*", keepLast: 2, olderThanDays: null }], untaggedAfterDays: 1 };
    const preview = await control.call("registry.retention.preview", { repository: "team/kept", policy }, { token: ADMIN_TOKEN });
    expect(preview).toMatchObject({ tags: [{ name: "v1", digest: image.digest }], manifests: [] });
    await control.call(
      "registry.repositories.update",
      { repository: "team/kept", retention: policy },
      { kind: "mutation", token: ADMIN_TOKEN },
    );
    const apply = (): Promise<unknown> =>
      control.call("registry.retention.run", { repository: "team/kept" }, { kind: "mutation", token: ADMIN_TOKEN });
    expect(await apply()).toEqual({ tags: 1, manifests: 0 });
    const repository = await control.services.prisma.registryRepository.findUniqueOrThrow({ where: { path: "team/kept" } });
    await control.services.prisma.registryManifest.updateMany({
      where: { repositoryId: repository.id },
      data: { pushedAt: new Date(Date.now() - 5 * 86_400_000) },
    });
    expect(await apply()).toEqual({ tags: 0, manifests: 1 });
    expect(await apply()).toEqual({ tags: 0, manifests: 1 });
    expect(await apply()).toEqual({ tags: 0, manifests: 0 });
    const left = (await control.call("registry.tags.list", { repository: "team/kept" }, { token: ADMIN_TOKEN })) as { name: string }[];
    expect(left.map((tag) => tag.name)).toEqual(["v3", "v2"]);
  });
});

/** mulberry32: the same seed gives the same choices. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
