import { expect, test } from "vitest";
import { totalCapacity } from "./host-state.ts";

const stats = (cpuPercent: number) => ({ cpuPercent, memoryUsedBytes: 1, memoryTotalBytes: 2, diskUsedBytes: 3, diskTotalBytes: 4 });

test("a large host counts more than a small one, a silent one not at all", () => {
  const total = totalCapacity([
    { cpus: 6, stats: stats(100) },
    { cpus: 2, stats: stats(0) },
    { cpus: 64, stats: null },
  ]);
  expect(total).toEqual({
    hosts: 2,
    cpus: 8,
    cpuPercent: 75,
    memoryUsedBytes: 2,
    memoryTotalBytes: 4,
    diskUsedBytes: 6,
    diskTotalBytes: 8,
  });
});

test("no hosts have no capacity", () => expect(totalCapacity([]).cpuPercent).toBe(0));
