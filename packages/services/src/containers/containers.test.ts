import { describe, expect, test } from "vitest";
import { LineSplitter } from "./follow-logs.ts";
import { runSpec } from "./schemas.ts";
import { dockerStats, toStatsSample } from "./stats-sample.ts";
import { toCreateBody } from "./to-create-body.ts";

describe("toCreateBody", () => {
  test("a bare image says nothing about what the engine decides", () => {
    expect(toCreateBody(runSpec.parse({ image: "x" }))).toEqual({
      Image: "x",
      Tty: false,
      OpenStdin: false,
      HostConfig: { RestartPolicy: { Name: "no", MaximumRetryCount: 0 } },
    });
  });

  test("ports are exposed and bound, several to one; limits are in Docker's units", () => {
    const spec = runSpec.parse({
      image: "x",
      ports: [
        { containerPort: 80, hostPort: 8080 },
        { containerPort: 80, hostIp: "::1", hostPort: 81 },
        { containerPort: 53, protocol: "udp" },
      ],
      env: [{ name: "A", value: "b=c" }],
      cpus: 0.5,
      memoryBytes: 1024,
    });
    expect(toCreateBody(spec)).toMatchObject({
      Env: ["A=b=c"],
      ExposedPorts: { "80/tcp": {}, "53/udp": {} },
      HostConfig: {
        NanoCpus: 500_000_000,
        Memory: 1024,
        PortBindings: {
          "80/tcp": [
            { HostIp: "", HostPort: "8080" },
            { HostIp: "::1", HostPort: "81" },
          ],
          "53/udp": [{ HostIp: "", HostPort: "" }],
        },
      },
    });
  });
});

describe("LineSplitter", () => {
  test("lines are whole however they were cut, also inside a character", () => {
    const bytes = Buffer.from("T1 grün\r\nT2 \nT3 rest");
    for (let size = 1; size <= bytes.length; size += 1) {
      const splitter = new LineSplitter("stdout");
      const lines = [];
      for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)));
      expect([...lines, ...splitter.end()].map((line) => [line.time, line.text])).toEqual([
        ["T1", "grün"],
        ["T2", ""],
        ["T3", "rest"],
      ]);
    }
  });

  test("an endless line is cut, not kept", () => {
    const splitter = new LineSplitter("stderr");
    for (let index = 0; index < 100; index += 1) splitter.push(Buffer.alloc(10_000, "x"));
    expect(splitter.push(Buffer.from("\n"))[0]?.text.length).toBeLessThanOrEqual(64 * 1024);
  });
});

describe("toStatsSample", () => {
  test("an answer with nothing in it is zeros", () => {
    expect(toStatsSample(dockerStats.parse({}))).toMatchObject({ cpuPercent: 0, memoryBytes: 0, pids: 0 });
  });

  test("CPU is relative to one processor, memory is without page cache that can be dropped", () => {
    const sample = toStatsSample(
      dockerStats.parse({
        read: "T",
        cpu_stats: { cpu_usage: { total_usage: 300 }, system_cpu_usage: 2000, online_cpus: 4 },
        precpu_stats: { cpu_usage: { total_usage: 100 }, system_cpu_usage: 1000 },
        memory_stats: { usage: 1000, limit: 5000, stats: { inactive_file: 400 } },
        networks: { eth0: { rx_bytes: 1, tx_bytes: 2 }, eth1: { rx_bytes: 10, tx_bytes: 20 } },
        blkio_stats: {
          io_service_bytes_recursive: [
            { op: "Read", value: 7 },
            { op: "write", value: 8 },
          ],
        },
        pids_stats: { current: 3 },
      }),
    );
    expect(sample).toEqual({
      time: "T",
      cpuPercent: 80,
      memoryBytes: 600,
      memoryLimitBytes: 5000,
      netRxBytes: 11,
      netTxBytes: 22,
      blockReadBytes: 7,
      blockWriteBytes: 8,
      pids: 3,
    });
  });
});
