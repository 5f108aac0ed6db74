// `flotilla backup` and `flotilla restore`, as an operator types them, on real control planes.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@flotilla/core";
import { verifyAudit } from "@flotilla/services";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startPostgres } from "../../apps/control/src/server/postgres/start-postgres.ts";
import { COMPILE_CACHE } from "../support/compile-cache.ts";
import { ADMIN, ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import { runCommand } from "../support/docker.ts";
import { until } from "../support/linked-agent.ts";
import { type PushedImage, registryClient, tokenFor } from "../support/registry-client.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const CLI = join(ROOT, "apps", "cli", "src", "main.ts");
/** What the command starts: half the time for each of many calls. */
const MAIN = join(ROOT, "apps", "control", "src", "server", "backup", "main.ts");
const REPOSITORY = "team/app";
const PULL_AND_PUSH = [`repository:${REPOSITORY}:pull,push`];

let dir: string;
let control: TestControl;
let image: PushedImage;
let passphrase: string;
let sealed: string;
let plain: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "flb-"));
  control = await startTestControl({ withAdmin: true });
  const token = await tokenFor(control, PULL_AND_PUSH, { username: ADMIN.email, password: ADMIN.password });
  image = await registryClient(control, token).pushImage(REPOSITORY, "v1");
  passphrase = join(dir, "passphrase");
  writeFileSync(passphrase, "correct horse battery\n");
  sealed = join(dir, "sealed.tar.age");
  plain = join(dir, "plain.tar");
});
afterAll(async () => {
  await control.close();
  rmSync(dir, { recursive: true, force: true });
});

type Answer = { exitCode: number; document: Record<string, unknown> };

function environment(data: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { FLOTILLA_DATA: data, ...COMPILE_CACHE, ...more };
}

async function flotilla(data: string, args: readonly string[], more: Readonly<Record<string, string>> = {}, main = MAIN): Promise<Answer> {
  const argv: [string, ...string[]] = [process.execPath, "--disable-warning=ExperimentalWarning", main, "--json", ...args];
  const { exitCode, stdout, stderr } = await runCommand(argv, { env: environment(data, more) });
  expect(stdout, stderr).not.toBe("");
  return { exitCode, document: JSON.parse(stdout) as Record<string, unknown> };
}

const failure = (code: string, message: RegExp): unknown => ({
  exitCode: 1,
  document: { error: { code, message: expect.stringMatching(message) as string } },
});

async function expectWhole(url: string): Promise<void> {
  const bearer = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const me = await fetch(`${url}/api/trpc/me.get`, { headers: bearer });
  expect(await me.text()).toContain(ADMIN.email);
  const restored = { url } as TestControl;
  const token = await tokenFor(restored, PULL_AND_PUSH, { username: ADMIN.email, password: ADMIN.password });
  const registry = registryClient(restored, token);
  expect((await registry.fetch(`/v2/${REPOSITORY}/manifests/v1`)).headers.get("docker-content-digest")).toBe(image.digest);
  const layer = Buffer.from(await (await registry.fetch(`/v2/${REPOSITORY}/blobs/${image.layer}`)).arrayBuffer());
  expect(layer.length).toBeGreaterThan(0);
}

const keyOf = (data: string): unknown =>
  (JSON.parse(readFileSync(join(data, "control", "secrets.json"), "utf8")) as Record<string, unknown>)["identityKey"];

describe("a control plane", () => {
  test("is written while it runs, into a file that only root reads and nobody without the passphrase", async () => {
    const { exitCode, document } = await flotilla(control.dir, ["backup", sealed, "--passphrase-file", passphrase], {}, CLI);
    expect({ exitCode, document }).toMatchObject({
      exitCode: 0,
      document: { file: sealed, isEncrypted: true, hasRegistry: true, blobs: 2 },
    });
    expect(document["bytes"]).toBe(statSync(sealed).size);
    expect(document["rows"]).toBeGreaterThan(5);
    expect(statSync(sealed).mode & 0o777).toBe(0o600);
    expect(readFileSync(sealed).includes("secrets.json")).toBe(false);
    expect(readdirSync(dir).toSorted()).toEqual(["passphrase", "sealed.tar.age"]);
  });

  test("is made from it elsewhere, also after a try that was killed: the same keys, people, tokens and images", async () => {
    const data = join(dir, "elsewhere");
    expect(await flotilla(control.dir, ["backup", plain])).toMatchObject({ exitCode: 0, document: { isEncrypted: false } });
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, "restore", plain], {
      env: environment(data),
      stdio: "ignore",
      detached: true,
    });
    const gone = new Promise((resolve) => child.once("exit", resolve));
    // Its Postgres is there: the file has been unpacked, and the rows are not all in.
    await until(() => existsSync(join(data, "control.restoring", "postgres", "postmaster.pid")));
    process.kill(-Number(child.pid), "SIGKILL");
    await gone;
    expect(existsSync(join(data, "control"))).toBe(false);

    expect(await flotilla(data, ["restore", sealed, "--passphrase-file", passphrase], {}, CLI)).toMatchObject({
      exitCode: 0,
      document: { dataDir: join(data, "control"), aside: null, blobs: 2 },
    });
    expect(readdirSync(data)).toEqual(["control"]);
    expect(keyOf(data)).toBe(keyOf(control.dir));
    const restored = await startTestControl({ env: { FLOTILLA_DATA: data }, isFirstStart: true });
    try {
      await expectWhole(restored.url);
      expect(restored.setupUrl).toBeUndefined();
      // Rows of the audit come with their seals: none is sealed a second time.
      const { prisma } = restored.services;
      const seals = await prisma.auditSeal.count();
      expect(await verifyAudit(restored.services)).toMatchObject({ isWhole: true, head: { seq: String(seals) } });
      expect(await prisma.auditSeal.groupBy({ by: ["rowId", "content"], having: { rowId: { _count: { gt: 1 } } } })).toEqual([]);
    } finally {
      await restored.close();
    }
  });

  test("is put aside for a backup of its own that was made while it was stopped, without the images", async () => {
    const data = join(dir, "elsewhere");
    const file = join(dir, "stopped.tar");
    expect(await flotilla(data, ["backup", file, "--without-registry"])).toMatchObject({
      exitCode: 0,
      document: { hasRegistry: false, blobs: 0 },
    });
    expect(await flotilla(data, ["backup", file])).toEqual(failure("conflict", /is there already: --force replaces it/));
    expect(await flotilla(data, ["restore", file])).toEqual(failure("conflict", /--force puts it aside/));
    const { exitCode, document } = await flotilla(data, ["restore", file, "--force"]);
    expect(exitCode).toBe(0);
    expect(existsSync(join(String(document["aside"]), "postgres", "PG_VERSION"))).toBe(true);
    expect(existsSync(join(data, "control", "registry"))).toBe(false);
  });
});

describe("an outside database", () => {
  test("is filled when it has no rows, and refused when it has", async () => {
    const directory = join(dir, "outside", "postgres");
    const postgres = await startPostgres({ directory, password: "p".repeat(43), logger: silentLogger });
    try {
      if (!("socketDir" in postgres.connection)) throw new Error("the embedded Postgres has no socket");
      const { user, password, database, socketDir } = postgres.connection;
      const url = `postgresql://${user}:${password}@localhost/${database}?host=${encodeURIComponent(socketDir)}`;
      const restore = ["restore", plain];
      expect(await flotilla(join(dir, "outside", "a"), restore, { DATABASE_URL: url })).toMatchObject({ exitCode: 0 });
      const second = await flotilla(join(dir, "outside", "b"), restore, { DATABASE_URL: url });
      expect(second).toEqual(failure("conflict", /the database is not empty: there are rows in/));
      expect(readdirSync(join(dir, "outside", "b"))).toEqual([]);
    } finally {
      await postgres.stop();
    }
  });
});

describe("what cannot be", () => {
  const untouched = (): string => join(dir, "untouched");

  test("without the passphrase, or with another", async () => {
    const wrong = join(dir, "wrong");
    writeFileSync(wrong, "wrong horse battery\n");
    const short = join(dir, "short");
    writeFileSync(short, "short\n");
    const tries: [string[], unknown][] = [
      [[], failure("invalid", /is encrypted: give its passphrase/)],
      [["--passphrase-file", wrong], failure("forbidden", /does not open this backup/)],
      [["--passphrase-file", short], failure("invalid", /at least 12 characters/)],
    ];
    for (const [flags, expected] of tries) expect(await flotilla(untouched(), ["restore", sealed, ...flags])).toEqual(expected);
    expect(existsSync(join(untouched(), "control"))).toBe(false);
  });

  test("from a file that was cut off, or is something else, or is not there", async () => {
    const damaged = join(dir, "damaged");
    writeFileSync(damaged, readFileSync(plain));
    truncateSync(damaged, statSync(plain).size - 3000);
    const restore = (file: string): Promise<Answer> => flotilla(untouched(), ["restore", file]);
    expect(await restore(damaged)).toEqual(failure("invalid", /no whole backup/));
    expect(await restore(MAIN)).toEqual(failure("invalid", /no whole backup/));
    expect(await restore(join(dir, "nowhere"))).toEqual(failure("not_found", /cannot be read/));
    expect(readdirSync(untouched())).toEqual([]);
  });

  test("where there is no control plane, or one that runs", async () => {
    expect(await flotilla(join(dir, "nothing"), ["backup", join(dir, "x.tar")])).toEqual(
      failure("not_found", /there is no control plane in/),
    );
    expect(existsSync(join(dir, "nothing"))).toBe(false);
    expect(await flotilla(control.dir, ["restore", plain, "--force"])).toEqual(failure("conflict", /another control plane works on/));
    await expectWhole(control.url);
  });
});
