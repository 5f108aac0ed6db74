import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@flotilla/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EventBus } from "../../agent/src/events/bus.ts";
import { lgetxattr, lsetxattr, mknod, unmount } from "../../agent/src/host/libc.ts";
import { Database } from "../../agent/src/store/database.ts";
import { createVolumeStore, type Volumes } from "../../agent/src/volumes/volume-store.ts";

const NS = "default";
const S_IFCHR = 0o020000;

let root: string;
let db: Database;
let volumes: Volumes;

const open = (): Volumes => {
  const config = { dataDir: root, runDir: root, socketPath: "", instance: "1a2b3c4d", logLevel: "info", compileCacheDir: "/c" } as const;
  return createVolumeStore({ config, db, events: new EventBus(), logger: silentLogger });
};
const mounts = (): string[] =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(root));

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flotilla-vol-"));
  db = new Database(":memory:");
  volumes = open();
});

afterEach(() => {
  for (const line of mounts()) unmount(line.split(" ")[4] ?? "");
  db.close();
  rmSync(root, { recursive: true, force: true });
});

test("copy-up keeps owners, modes, times, attributes, links and devices, and gives them to the volume itself", async () => {
  const source = join(root, "rootfs", "srv");
  mkdirSync(join(source, "sub"), { recursive: true });
  writeFileSync(join(source, "sub", "f"), "content");
  chownSync(join(source, "sub", "f"), 1234, 5678);
  chmodSync(join(source, "sub", "f"), 0o4751);
  linkSync(join(source, "sub", "f"), join(source, "hard"));
  symlinkSync("/etc/shadow", join(source, "soft"));
  mknod(join(source, "null"), S_IFCHR | 0o666, { major: 1, minor: 3 });
  lsetxattr(join(source, "sub", "f"), "user.test", Buffer.from("value"));
  lsetxattr(source, "user.top", Buffer.from("directory"));
  chownSync(source, 999, 998);
  chmodSync(source, 0o2750);

  const { path } = await volumes.create(NS, { name: "data" });
  await volumes.copyUp(NS, "data", { root: join(root, "rootfs"), path: "/srv" });

  const file = lstatSync(join(path, "sub", "f"));
  expect([file.uid, file.gid, file.mode & 0o7777, file.nlink]).toEqual([1234, 5678, 0o4751, 2]);
  expect(lstatSync(join(path, "hard")).ino).toBe(file.ino);
  expect(file.mtimeMs).toBe(lstatSync(join(source, "sub", "f")).mtimeMs);
  expect(readlinkSync(join(path, "soft"))).toBe("/etc/shadow");
  expect(lstatSync(join(path, "null")).isCharacterDevice()).toBe(true);
  expect(Buffer.from(lgetxattr(join(path, "sub", "f"), "user.test") ?? []).toString()).toBe("value");
  const top = lstatSync(path);
  expect([top.uid, top.gid, top.mode & 0o7777]).toEqual([999, 998, 0o2750]);
  expect(Buffer.from(lgetxattr(path, "user.top") ?? []).toString()).toBe("directory");
});

test("the directory's own owner is copied even when it is empty", async () => {
  mkdirSync(join(root, "rootfs", "srv"), { recursive: true });
  chownSync(join(root, "rootfs", "srv"), 70, 70);
  const { path } = await volumes.create(NS, { name: "data" });
  await volumes.copyUp(NS, "data", { root: join(root, "rootfs"), path: "/srv" });
  expect([lstatSync(path).uid, lstatSync(path).gid]).toEqual([70, 70]);
});

test("a tmpfs volume is mounted while a container has it, and gone with the last", async () => {
  const driverOpts = { type: "tmpfs", device: "tmpfs", o: "size=1m,uid=1000,noexec" };
  const { path } = await volumes.create(NS, { name: "scratch", driverOpts });
  expect(mounts()).toEqual([]);
  volumes.acquire(NS, "scratch", "c1");
  volumes.acquire(NS, "scratch", "c2");
  expect(volumes.path(NS, "scratch")).toBe(path);
  expect(mounts()).toHaveLength(1);
  expect(mounts()[0]).toMatch(/noexec.*tmpfs tmpfs.*size=1024k.*uid=1000/);
  writeFileSync(join(path, "f"), "x");
  volumes.release(NS, "c1");
  expect(readdirSync(path)).toEqual(["f"]);
  volumes.release(NS, "c2");
  expect(mounts()).toEqual([]);
  expect(readdirSync(path)).toEqual([]);
  await volumes.remove(NS, "scratch");
});

test("a tmpfs volume whose mount a reboot took is mounted again by its path", async () => {
  const { path } = await volumes.create(NS, { name: "scratch", driverOpts: { type: "tmpfs", device: "tmpfs" } });
  volumes.acquire(NS, "scratch", "c1");
  unmount(path);
  volumes = open();
  volumes.path(NS, "scratch");
  expect(mounts()).toHaveLength(1);
  volumes.release(NS, "c1");
  expect(mounts()).toEqual([]);
});
