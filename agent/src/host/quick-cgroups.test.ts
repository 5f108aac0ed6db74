import { expect, test } from "vitest";
import { parseCgroupLayout } from "./cgroup.ts";
import { ownCgroupDir } from "./quick-cgroups.ts";

const v1 = parseCgroupLayout("35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory");
const v2 = parseCgroupLayout("41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate");

test("the own cgroup is found in the first hierarchy that is mounted", () => {
  expect(ownCgroupDir(v1, "9:pids:/elsewhere\n4:memory,x:/a/b\n0::/c\n")).toBe("/sys/fs/cgroup/memory/a/b");
  expect(ownCgroupDir(v2, "0::/system.slice/a.service\n")).toBe("/sys/fs/cgroup/system.slice/a.service");
});

test("a cgroup outside the visible tree is none", () => {
  expect(ownCgroupDir(v2, "0::/../../outside\n")).toBeUndefined();
  expect(ownCgroupDir(v1, "")).toBeUndefined();
});
