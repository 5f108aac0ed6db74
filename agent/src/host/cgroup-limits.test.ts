import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hasCgroup, limitCgroup } from "./cgroup-limits.ts";
import type { CgroupLayout } from "./cgroup.ts";

// Directories that stand for the kernel's trees: which files get what. test/host shows that the kernel takes them.
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flg-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const v2 = (): CgroupLayout => ({ mode: "v2", unifiedMount: root, controllers: new Map() });
const v1 = (): CgroupLayout => ({
  mode: "v1",
  unifiedMount: undefined,
  controllers: new Map([
    ["memory", join(root, "memory")],
    ["cpu", join(root, "cpu")],
  ]),
});
const text = (path: string): string => readFileSync(join(root, path), "utf8");

test("v2: controllers are handed down, then memory, swap and CPU are limited", () => {
  mkdirSync(join(root, "flotilla-x/ns-shop"), { recursive: true });
  writeFileSync(join(root, "flotilla-x/ns-shop/memory.swap.max"), "max");
  limitCgroup(v2(), "/flotilla-x/ns-shop", { memoryBytes: 1 << 30, cpus: 1.5 });
  expect(text("cgroup.subtree_control")).toBe("+memory +cpu");
  expect(text("flotilla-x/cgroup.subtree_control")).toBe("+memory +cpu");
  expect(existsSync(join(root, "flotilla-x/ns-shop/cgroup.subtree_control"))).toBe(false);
  expect(text("flotilla-x/ns-shop/memory.max")).toBe(String(1 << 30));
  expect(text("flotilla-x/ns-shop/memory.swap.max")).toBe(String(1 << 30));
  expect(text("flotilla-x/ns-shop/cpu.max")).toBe("150000 100000");
  limitCgroup(v2(), "/flotilla-x/ns-shop", {});
  expect(text("flotilla-x/ns-shop/memory.max")).toBe("max");
  expect(text("flotilla-x/ns-shop/memory.swap.max")).toBe("max");
  expect(text("flotilla-x/ns-shop/cpu.max")).toBe("max 100000");
});

test("v1: memory, memory with swap where it is counted, and the quota of a period", () => {
  mkdirSync(join(root, "memory/flotilla-x/ns-shop"), { recursive: true });
  writeFileSync(join(root, "memory/flotilla-x/ns-shop/memory.memsw.limit_in_bytes"), "");
  limitCgroup(v1(), "/flotilla-x/ns-shop", { memoryBytes: 1 << 20, cpus: 0.5 });
  expect(text("memory/flotilla-x/ns-shop/memory.limit_in_bytes")).toBe(String(1 << 20));
  expect(text("memory/flotilla-x/ns-shop/memory.memsw.limit_in_bytes")).toBe(String(2 << 20));
  expect(text("cpu/flotilla-x/ns-shop/cpu.cfs_period_us")).toBe("100000");
  expect(text("cpu/flotilla-x/ns-shop/cpu.cfs_quota_us")).toBe("50000");
  limitCgroup(v1(), "/flotilla-x/ns-shop", {});
  expect(text("memory/flotilla-x/ns-shop/memory.limit_in_bytes")).toBe("-1");
  expect(text("cpu/flotilla-x/ns-shop/cpu.cfs_quota_us")).toBe("-1");
});

test("a cgroup is there when one of the hierarchies has it", () => {
  expect(hasCgroup(v1(), "/flotilla-x/ns-shop")).toBe(false);
  mkdirSync(join(root, "cpu/flotilla-x/ns-shop"), { recursive: true });
  expect(hasCgroup(v1(), "/flotilla-x/ns-shop")).toBe(true);
  expect(hasCgroup({ ...v2(), unifiedMount: join(root, "none") }, "/x")).toBe(false);
});

test("what the kernel refuses is told with the cgroup's name", () => {
  mkdirSync(join(root, "flotilla-x/ns-shop/memory.max"), { recursive: true });
  expect(() => limitCgroup(v2(), "/flotilla-x/ns-shop", { memoryBytes: 1 << 20 })).toThrow(
    /limit the cgroup \/flotilla-x\/ns-shop: EISDIR/,
  );
});
