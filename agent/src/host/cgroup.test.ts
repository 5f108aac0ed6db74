import { expect, test } from "vitest";
import { cgroupDirs, controllerDir, parseCgroupLayout } from "./cgroup.ts";

const v1 = `32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:1 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
50 31 0:40 / /home rw - ext4 /dev/sda rw`;
const unified = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate";
const v2 = "41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate";

test("v1 has one hierarchy per mount, several controllers may share one", () => {
  const layout = parseCgroupLayout(v1);
  expect(layout.mode).toBe("v1");
  expect(cgroupDirs(layout, "/x/a")).toEqual(["/sys/fs/cgroup/cpu,cpuacct/x/a", "/sys/fs/cgroup/memory/x/a", "/sys/fs/cgroup/systemd/x/a"]);
  expect(controllerDir(layout, "cpuacct", "/x")).toBe("/sys/fs/cgroup/cpu,cpuacct/x");
  expect(controllerDir(layout, "pids", "/x")).toBeUndefined();
});

test("hybrid is v1 with a v2 tree beside it", () => {
  const layout = parseCgroupLayout(`${v1}\n${unified}`);
  expect(layout).toMatchObject({ mode: "hybrid", unifiedMount: "/sys/fs/cgroup/unified" });
  expect(cgroupDirs(layout, "/x")).toContain("/sys/fs/cgroup/unified/x");
  expect(controllerDir(layout, "memory", "/x")).toBe("/sys/fs/cgroup/memory/x");
});

test("pure v2 has everything in one tree", () => {
  const layout = parseCgroupLayout(v2);
  expect(layout.mode).toBe("v2");
  expect(cgroupDirs(layout, "/x")).toEqual(["/sys/fs/cgroup/x"]);
  expect(controllerDir(layout, "memory", "/x")).toBe("/sys/fs/cgroup/x");
});
