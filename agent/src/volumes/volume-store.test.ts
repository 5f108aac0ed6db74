import { existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@flotilla/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EventBus } from "../events/bus.ts";
import { Database } from "../store/database.ts";
import { createVolumeStore, type Volumes } from "./volume-store.ts";

const NS = "default";

let root: string;
let db: Database;
let events: EventBus;
let volumes: Volumes;

const open = (): Volumes => {
  const config = { dataDir: root, runDir: root, socketPath: "", instance: "1a2b3c4d", logLevel: "info", compileCacheDir: "/c" } as const;
  return createVolumeStore({ config, db, events, logger: silentLogger });
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flotilla-vol-"));
  db = new Database(":memory:");
  events = new EventBus();
  volumes = open();
});

afterEach(() => {
  db.close();
  rmSync(root, { recursive: true, force: true });
});

describe("create", () => {
  test("makes a directory of that name in its namespace", async () => {
    const { name, path } = await volumes.create(NS, { name: "data" });
    expect({ name, path }).toEqual({ name: "data", path: join(root, "volumes", NS, "data", "_data") });
    expect(existsSync(path)).toBe(true);
  });

  test("again gives the same volume, and keeps its content and labels", async () => {
    const { path } = await volumes.create(NS, { name: "data", labels: { a: "1" } });
    writeFileSync(join(path, "f"), "x");
    await volumes.create(NS, { name: "data", labels: { a: "2" } });
    expect(readFileSync(join(path, "f"), "utf8")).toBe("x");
    expect(volumes.get(NS, "data").labels).toEqual({ a: "1" });
  });

  test("again with other driver options is a conflict", async () => {
    await volumes.create(NS, { name: "data" });
    await expect(volumes.create(NS, { name: "data", driverOpts: { type: "tmpfs", device: "tmpfs" } })).rejects.toMatchObject({
      code: "conflict",
    });
  });

  test("without a name is anonymous: 64 hex digits and Docker's label", async () => {
    const { name } = await volumes.create(NS, {});
    expect(name).toMatch(/^[0-9a-f]{64}$/);
    expect(volumes.get(NS, name)).toMatchObject({ isAnonymous: true, labels: { "com.docker.volume.anonymous": "" } });
  });

  test("a named volume with the label is not anonymous", async () => {
    await volumes.create(NS, { name: "data", labels: { "com.docker.volume.anonymous": "" } });
    expect(volumes.get(NS, "data").isAnonymous).toBe(false);
  });

  test.each(["../etc", "a/b", "/abs", ".hidden", "-flag", "a b", "a\nb", "a\0b", "$(id)", "ａｂ", "a;b", "..", "a".repeat(256)])(
    "%j is refused",
    async (name) => {
      await expect(volumes.create(NS, { name })).rejects.toMatchObject({ code: "invalid" });
      expect(readdirSync(join(root, "volumes"))).toEqual([".trash"]);
    },
  );

  test("one character is too short, as in Docker", async () => {
    await expect(volumes.create(NS, { name: "a" })).rejects.toThrow("names should be at least two alphanumeric characters");
  });

  test.each([
    [{ driver: "nfs" }, "not_found", 'plugin "nfs" not found'],
    [{ driverOpts: { foo: "bar" } }, "invalid", 'invalid option: "foo"'],
    [{ driverOpts: { type: "none", o: "bind", device: "/etc" } }, "not_implemented", "volumes of type none"],
    [{ driverOpts: { type: "nfs", o: "addr=192.0.2.9", device: ":/x" } }, "not_implemented", "volumes of type nfs"],
    [{ driverOpts: { type: "tmpfs", device: "tmpfs", o: "size=1m,context=x" } }, "invalid", 'invalid tmpfs option: "context=x"'],
    [{ driverOpts: { type: "tmpfs" } }, "invalid", "missing required option"],
  ])("%j is refused with a reason", async (request, code, message) => {
    await expect(volumes.create(NS, { name: "data", ...request })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect(volumes.list(NS)).toEqual([]);
  });

  test("namespaces do not see each other's volumes", async () => {
    await volumes.create(NS, { name: "data" });
    await volumes.create("team-b", { name: "data" });
    expect(volumes.path("team-b", "data")).not.toBe(volumes.path(NS, "data"));
    await volumes.remove("team-b", "data");
    expect(volumes.list(NS).map(({ name }) => name)).toEqual(["data"]);
    await expect(volumes.create("../x", { name: "data" })).rejects.toMatchObject({ code: "invalid" });
  });
});

describe("use and removal", () => {
  test("what a container has cannot be removed, in Docker's words", async () => {
    await volumes.create(NS, { name: "data" });
    volumes.acquire(NS, "data", "c1");
    volumes.acquire(NS, "data", "c1");
    volumes.acquire(NS, "data", "c2");
    await expect(volumes.remove(NS, "data", { force: true })).rejects.toMatchObject({
      code: "conflict",
      message: "remove data: volume is in use - [c1, c2]",
    });
    expect(volumes.release(NS, "c1")).toEqual([]);
    expect(volumes.release(NS, "c2")).toEqual([]);
    await volumes.remove(NS, "data");
    expect(volumes.list(NS)).toEqual([]);
  });

  test("release names the anonymous volumes that nobody has any more", async () => {
    const { name } = await volumes.create(NS, {});
    volumes.acquire(NS, name, "c1");
    volumes.acquire(NS, name, "c2");
    expect(volumes.release(NS, "c1")).toEqual([]);
    expect(volumes.release(NS, "c2")).toEqual([name]);
    expect(volumes.release(NS, "c2")).toEqual([]);
  });

  test("release can remove them in one step, which the next start finishes when it was cut off", async () => {
    const { name, path } = await volumes.create(NS, { containerId: "c1" });
    await volumes.create(NS, { name: "data", containerId: "c1" });
    expect(volumes.get(NS, name).users).toEqual(["c1"]);
    expect(volumes.release(NS, "c1", { removesAnonymous: true })).toEqual([]);
    expect(volumes.list(NS).map((view) => view.name)).toEqual(["data"]);
    expect(existsSync(path)).toBe(false);
    expect(events.history().at(-1)).toMatchObject({ action: "destroy", id: name });
  });

  test("kept ones are anonymous no more, and those of others stay so", async () => {
    const { name } = await volumes.create(NS, { containerId: "c1" });
    const other = await volumes.create(NS, { containerId: "c2" });
    volumes.keep(NS, "c1");
    volumes.keep(NS, "c1");
    expect([volumes.get(NS, name).isAnonymous, volumes.get(NS, other.name).isAnonymous]).toEqual([false, true]);
    volumes.release(NS, "c1", { removesAnonymous: true });
    volumes.release(NS, "c2", { removesAnonymous: true });
    expect(volumes.list(NS).map((view) => view.name)).toEqual([name]);
  });

  test("an unknown volume is not found, unless removed by force", async () => {
    expect(() => volumes.path(NS, "nope")).toThrow("get nope: no such volume");
    expect(() => volumes.acquire(NS, "nope", "c1")).toThrow("get nope: no such volume");
    await expect(volumes.remove(NS, "nope")).rejects.toMatchObject({ code: "not_found" });
    await volumes.remove(NS, "nope", { force: true });
  });

  test("a name can be used again at once, and is empty then", async () => {
    const { path } = await volumes.create(NS, { name: "data" });
    writeFileSync(join(path, "f"), "x");
    await volumes.remove(NS, "data");
    expect(readdirSync((await volumes.create(NS, { name: "data" })).path)).toEqual([]);
  });

  test("a removal that was cut off is finished by the next start", async () => {
    const { path } = await volumes.create(NS, { name: "data" });
    db.run("UPDATE volumes SET is_removing = 1");
    expect(() => volumes.path(NS, "data")).toThrow("no such volume");
    volumes = open();
    expect(existsSync(path)).toBe(false);
    expect(volumes.list(NS)).toEqual([]);
    await expect.poll(() => readdirSync(join(root, "volumes", ".trash"))).toEqual([]);
  });

  test("a directory that no volume names is left alone", async () => {
    const stray = join(root, "volumes", NS, "somebody", "_data");
    mkdirSync(stray, { recursive: true });
    volumes = open();
    expect(existsSync(stray)).toBe(true);
  });

  test("events tell what happened", async () => {
    await volumes.create(NS, { name: "data" });
    volumes.acquire(NS, "data", "c1");
    volumes.release(NS, "c1");
    await volumes.remove(NS, "data");
    expect(events.history().map(({ action, id }) => [action, id])).toEqual([
      ["create", "data"],
      ["destroy", "data"],
    ]);
  });
});

describe("copy-up", () => {
  let rootfs: string;

  beforeEach(() => {
    rootfs = join(root, "rootfs");
    mkdirSync(join(rootfs, "srv", "sub"), { recursive: true });
    writeFileSync(join(rootfs, "srv", "sub", "f"), "from the image");
  });

  test("fills an empty volume, and only an empty one", async () => {
    const { path } = await volumes.create(NS, { name: "data" });
    await volumes.copyUp(NS, "data", { root: rootfs, path: "/srv" });
    expect(readFileSync(join(path, "sub", "f"), "utf8")).toBe("from the image");
    expect(readdirSync(join(path, ".."))).toEqual(["_data"]);
    writeFileSync(join(rootfs, "srv", "late"), "x");
    await volumes.copyUp(NS, "data", { root: rootfs, path: "/srv" });
    expect(readdirSync(path)).toEqual(["sub"]);
  });

  test("follows a symlink of the image inside the image, never to the host", async () => {
    const secrets = join(root, "secrets");
    mkdirSync(secrets);
    writeFileSync(join(secrets, "key"), "of the host");
    symlinkSync(secrets, join(rootfs, "evil"));
    symlinkSync("../../../../../../../..", join(rootfs, "up"));
    symlinkSync("/srv", join(rootfs, "good"));
    const { path } = await volumes.create(NS, { name: "data" });
    await volumes.copyUp(NS, "data", { root: rootfs, path: "/evil" });
    await volumes.copyUp(NS, "data", { root: rootfs, path: `/up${secrets}` });
    expect(readdirSync(path)).toEqual([]);
    await volumes.copyUp(NS, "data", { root: rootfs, path: "/good" });
    expect(readdirSync(path)).toEqual(["sub"]);
  });

  test("of a file or of nothing leaves the volume empty", async () => {
    const { path } = await volumes.create(NS, { name: "data" });
    await volumes.copyUp(NS, "data", { root: rootfs, path: "/srv/sub/f" });
    await volumes.copyUp(NS, "data", { root: rootfs, path: "/nothing" });
    expect(readdirSync(path)).toEqual([]);
  });

  test("by two containers at once copies once", async () => {
    const { path } = await volumes.create(NS, { name: "data" });
    await Promise.all([1, 2].map(() => volumes.copyUp(NS, "data", { root: rootfs, path: "/srv" })));
    expect(readdirSync(path)).toEqual(["sub"]);
  });

  test("cut off while copying leaves an empty volume, which the next start fills", async () => {
    const { path } = await volumes.create(NS, { name: "data" });
    mkdirSync(join(path, "..", "_copy", "half"), { recursive: true });
    db.run("UPDATE volumes SET copy_phase = 'copying'");
    volumes = open();
    expect(readdirSync(join(path, ".."))).toEqual(["_data"]);
    await volumes.copyUp(NS, "data", { root: rootfs, path: "/srv" });
    expect(readdirSync(path)).toEqual(["sub"]);
  });

  test("cut off while moving is finished by the next start", async () => {
    const { path } = await volumes.create(NS, { name: "data" });
    writeFileSync(join(path, "moved"), "1");
    mkdirSync(join(path, "..", "_copy"));
    writeFileSync(join(path, "..", "_copy", "waiting"), "2");
    db.run("UPDATE volumes SET copy_phase = 'moving'");
    volumes = open();
    expect(readdirSync(path)).toEqual(["moved", "waiting"]);
    expect(readdirSync(join(path, ".."))).toEqual(["_data"]);
  });
});

test("the size is that of the files: directories count nothing, a hard link once, a symlink itself", async () => {
  const { path } = await volumes.create(NS, { name: "data" });
  expect(await volumes.sizeBytes(NS, "data")).toBe(0);
  mkdirSync(join(path, "a", "b"), { recursive: true });
  writeFileSync(join(path, "a", "b", "f"), Buffer.alloc(10_000));
  linkSync(join(path, "a", "b", "f"), join(path, "hard"));
  symlinkSync("/dev/zero", join(path, "soft"));
  expect(await volumes.sizeBytes(NS, "data")).toBe(10_000 + "/dev/zero".length);
});
