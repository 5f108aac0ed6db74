import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLogger } from "@flotilla/core";
import { collectGarbage, LEASE_MS } from "@flotilla/services";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readControlConfig } from "../../apps/control/src/server/env.ts";
import { type EmbeddedPostgres, startPostgres } from "../../apps/control/src/server/postgres/start-postgres.ts";
import { startControl } from "../../apps/control/src/server/start-control.ts";
import { ADMIN, ADMIN_TOKEN, type TestControl } from "../support/control.ts";
import { until } from "../support/linked-agent.ts";
import { freePort } from "../support/product.ts";
import { digestOf, registryClient, type RegistryClient } from "../support/registry-client.ts";
import { crashRounds, seeded } from "../support/seeded.ts";
import { TestUpstream } from "../support/upstream.ts";
import { COMPILE_CACHE } from "../support/compile-cache.ts";

// kill -9 of the control plane while clients push, pull, pull through and delete, and it cleans up and applies retention.
const PASSWORD = "postgres of a test, on a unix socket of its own";
const LAYER_BYTES = 200_000;
let dir: string;
let postgres: EmbeddedPostgres;
let upstream: TestUpstream;
let env: Record<string, string>;
let client: RegistryClient;
let child: ChildProcess | undefined;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "flx-"));
  postgres = await startPostgres({ directory: join(dir, "postgres"), password: PASSWORD, logger: silentLogger });
  upstream = await TestUpstream.start();
  const port = await freePort();
  const database = new URLSearchParams({ host: join(dir, "postgres") });
  env = {
    ...COMPILE_CACHE,
    PATH: process.env["PATH"] ?? "",
    FLOTILLA_DATA: dir,
    FLOTILLA_LISTEN: `127.0.0.1:${port}`,
    DATABASE_URL: `postgresql://flotilla:${encodeURIComponent(PASSWORD)}@localhost/postgres?${database.toString()}`,
    FLOTILLA_ADMIN_EMAIL: ADMIN.email,
    FLOTILLA_ADMIN_PASSWORD: ADMIN.password,
    FLOTILLA_ADMIN_TOKEN: ADMIN_TOKEN,
  };
  client = registryClient({ url: `http://127.0.0.1:${port}` } as TestControl, ADMIN_TOKEN);
});
afterAll(async () => {
  await kill();
  await upstream[Symbol.asyncDispose]();
  await postgres.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const argv = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "..", "support", "control-child.ts")];
  const started = spawn(process.execPath, argv, { env, stdio: ["ignore", "pipe", "inherit"] });
  child = started;
  await Promise.race([
    once(started.stdout, "data"),
    once(started, "exit").then(([code]) => Promise.reject(new Error(`the control plane ended with ${String(code)}`))),
  ]);
}

/** Whether nobody has killed it yet. */
function isAlive(): boolean {
  return child?.killed === false;
}

async function kill(): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

async function mutate(path: string, input: unknown): Promise<void> {
  const response = await client.fetch(`/api/trpc/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

/** What the clients were told: `pushed` is there, `deleted` is not. What was never answered is in neither. */
const pushed = new Map<string, string>();
const deleted = new Set<string>();
let count = 0;
/** Pushes, pulls and removals that were done: kills come between them, however slow the machine is. */
let done = 0;
/** Errors that clients got from a control plane that was not killed. */
const unexpected: string[] = [];

/** A client's work goes on until the control plane is gone; whatever it was not told then may be or not be. */
async function push(random: () => number): Promise<void> {
  const name = `team/p${Math.floor(random() * 3)}`;
  const tag = `t${count++}`;
  const layer = randomBytes(Math.floor(random() * LAYER_BYTES));
  const { digest } = await client.pushImage(name, tag, { layer });
  pushed.set(`${name}:${tag}`, digest);
  done += 1;
}

async function remove(): Promise<void> {
  const [entry] = pushed.keys();
  if (entry === undefined || pushed.size < 6) return;
  const [name = "", tag = ""] = entry.split(":");
  // From here on it may be gone, answered or not.
  pushed.delete(entry);
  const { status } = await client.fetch(`/v2/${name}/manifests/${tag}`, { method: "DELETE" });
  if (status === 202) deleted.add(entry);
  done += 1;
}

async function pullThrough(random: () => number): Promise<void> {
  const image = upstream.addImage(`lib/a${count++}`, "v1", randomBytes(Math.floor(random() * 1_500_000)));
  const name = `team/mirror/lib/a${count - 1}`;
  await client.fetch(`/v2/${name}/manifests/v1`);
  const blob = await client.fetch(`/v2/${name}/blobs/${image.layer}`);
  if (blob.status !== 200) return;
  expect(digestOf(Buffer.from(await blob.arrayBuffer()))).toBe(image.layer);
  done += 1;
}

async function pushKept(): Promise<void> {
  await client.pushImage("team/kept", `k${count++}`);
}

async function work(kind: number, random: () => number): Promise<void> {
  // A removal with nothing to remove asks nobody, and so hears of no kill.
  while (isAlive()) {
    await sleep(10);
    try {
      await [push, push, remove, pullThrough, pushKept][kind % 5]?.(random);
    } catch (error) {
      // Since leases last no time at all here, a blob may be collected before its manifest came. All else is the kill's.
      if (/BLOB_UNKNOWN|BLOB_UPLOAD_UNKNOWN|MANIFEST_BLOB_UNKNOWN/.test(String(error))) continue;
      if (isAlive()) unexpected.push(String(error));
      return;
    }
  }
}

/** Everything that somebody was told of is there, byte for byte; what they were told is gone is gone. */
async function expectKept(): Promise<void> {
  for (const [entry, digest] of pushed) {
    const [name = "", tag = ""] = entry.split(":");
    const response = await client.fetch(`/v2/${name}/manifests/${tag}`);
    const manifest = await response.text();
    expect([entry, response.status, digestOf(manifest)]).toEqual([entry, 200, digest]);
    const { config, layers } = JSON.parse(manifest) as { config: { digest: string }; layers: { digest: string }[] };
    for (const blob of [config, ...layers]) {
      const bytes = await client.fetch(`/v2/${name}/blobs/${blob.digest}`);
      expect([entry, bytes.status, digestOf(Buffer.from(await bytes.arrayBuffer()))]).toEqual([entry, 200, blob.digest]);
    }
  }
  for (const entry of deleted) {
    const [name = "", tag = ""] = entry.split(":");
    expect((await client.fetch(`/v2/${name}/manifests/${tag}`)).status, entry).toBe(404);
  }
}

const ROUNDS = crashRounds(3);
test(
  `${ROUNDS} kills at random moments: what was answered is kept and whole, what nothing names is collected`,
  { timeout: 60_000 + ROUNDS * 20_000 },
  async () => {
    const random = seeded(20_261_125);
    await start();
    await mutate("registry.upstreams.create", { name: "mirror", url: upstream.url, allowsPrivate: true });
    await mutate("registry.repositories.create", { repository: "team/kept" });
    await mutate("registry.repositories.update", {
      repository: "team/kept",
      retention: { rules: [{ pattern: "*", keepLast: 2, olderThanDays: null }], untaggedAfterDays: 1 },
    });
    for (let round = 0; round < ROUNDS; round++) {
      const clients = Array.from({ length: 5 }, (_, kind) => work(kind, random));
      const enough = done + 2 + Math.floor(random() * 12);
      await until(() => done >= enough);
      await sleep(Math.floor(random() * 100));
      await kill();
      await Promise.all(clients);
      expect(unexpected).toEqual([]);
      await start();
      await expectKept();
    }
    expect(done, "the clients got something done").toBeGreaterThan(ROUNDS);
    expect(pushed.size).toBeGreaterThan(0);
    await kill();
    await expectClean();
  },
);

/** The whole store, by its rows and files, after one last clean-up. */
async function expectClean(): Promise<void> {
  const control = await startControl({ config: readControlConfig(env), logger: silentLogger, version: "0.0.0-test" });
  try {
    const { prisma, registry } = control.services;
    await collectGarbage({ ...control.services, nowMs: () => Date.now() + 10 * LEASE_MS }, { orphanAgeMs: 0 });
    const blobs = await prisma.registryBlob.findMany({ include: { references: true } });
    for (const { digest, size, storageKey, references } of blobs) {
      const hash = createHash("sha256");
      for await (const chunk of await registry.storage.read(storageKey)) hash.update(chunk);
      expect(`sha256:${hash.digest("hex")}`).toBe(digest);
      expect((await registry.storage.stat(storageKey))?.size).toBe(Number(size));
      expect(references.length, "a blob without an image is collected").toBeGreaterThan(0);
    }
    const root = join(dir, "control", "registry");
    const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map((entry) => `${entry.parentPath.slice(root.length + 1)}/${entry.name}`).toSorted()).toEqual(
      blobs.map(({ storageKey }) => storageKey).toSorted(),
    );
    expect([await prisma.registryTrash.count(), await prisma.registryUpload.count()]).toEqual([0, 0]);
    expect(existsSync(join(root, "uploads")) ? readdirSync(join(root, "uploads")) : []).toEqual([]);
    const kept = await prisma.registryTag.count({ where: { repository: { path: "team/kept" } } });
    expect(kept, "retention went on").toBeLessThanOrEqual(4);
  } finally {
    await control.close();
  }
}
