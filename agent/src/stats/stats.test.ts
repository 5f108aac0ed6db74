import { describe, expect, test } from "vitest";
import { parseBlkio, parseIoStat, parsePairs } from "./cgroup-counters.ts";
import { parseSystemCpuNs } from "./container-stats.ts";
import { parseNetDev } from "./network-counters.ts";

describe("counters of the kernel", () => {
  test("pairs of a name and a number", () => {
    expect(parsePairs("usage_usec 12\nnr_periods 3\nbad line here\nx max\n")).toEqual({ usage_usec: 12, nr_periods: 3 });
  });

  test("block devices of cgroup v1, without the sum over all", () => {
    expect(parseBlkio("8:0 Read 4096\n8:0 Write 0\n8:0 Total 4096\nTotal 4096\n")).toEqual([
      { major: 8, minor: 0, op: "Read", value: 4096 },
      { major: 8, minor: 0, op: "Write", value: 0 },
      { major: 8, minor: 0, op: "Total", value: 4096 },
    ]);
  });

  test("block devices of cgroup v2", () => {
    expect(parseIoStat("253:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=5 dios=1\n7:0\n")).toEqual([
      { major: 253, minor: 0, op: "read", value: 10 },
      { major: 253, minor: 0, op: "write", value: 20 },
    ]);
  });

  test("interfaces, without the loopback", () => {
    const text =
      "Inter-|   Receive                                                |  Transmit\n" +
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n" +
      "    lo:      10       1    0    0    0     0          0         0       10       1    0    0    0     0       0          0\n" +
      "  eth0:    1296      16    1    2    0     0          0         0      796       9    3    4    0     0       0          0\n";
    expect(parseNetDev(text)).toEqual({
      eth0: {
        rx_bytes: 1296,
        rx_packets: 16,
        rx_errors: 1,
        rx_dropped: 2,
        tx_bytes: 796,
        tx_packets: 9,
        tx_errors: 3,
        tx_dropped: 4,
      },
    });
  });

  test("the machine's processor time is the sum of the first seven fields", () => {
    expect(parseSystemCpuNs("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1 1\n")).toBe(280_000_000);
  });
});
