import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateSigningKey, HEARTBEAT_INTERVAL_HEADER } from "@flotilla/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { linkUrl } from "./dial.ts";
import { ensureHostKey, findControlUrl, identityPath, readIdentity, writeIdentity } from "./identity-file.ts";
import { toHostName } from "./join.ts";
import { readInterval } from "./serve-tunnel.ts";
import { parseMemory, StatsSampler } from "./stats-sampler.ts";

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "flk-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe("linkUrl", () => {
  test.each([
    ["https://flotilla.example.org", "wss://flotilla.example.org/agent/v1"],
    ["https://example.org:8443/below/", "wss://example.org:8443/below/agent/v1"],
    ["http://127.0.0.1:7420", "ws://127.0.0.1:7420/agent/v1"],
    ["http://localhost:1", "ws://localhost:1/agent/v1"],
    ["http://[::1]:1", "ws://[::1]:1/agent/v1"],
  ])("%s is dialled as %s", (url, expected) => expect(linkUrl(url)).toBe(expected));

  test.each(["http://example.org", "http://10.0.0.1", "http://127.0.0.1.example.org", "http://128.0.0.1", "ftp://127.0.0.1"])(
    "%s is refused",
    (url) => expect(() => linkUrl(url)).toThrow(),
  );
});

describe("the identity", () => {
  const identity = {
    version: 1,
    controlUrl: "http://127.0.0.1:1",
    serverKey: generateSigningKey().publicKey,
    hostId: "h",
    name: "web-1",
    binding: "none",
  } as const;

  test("there is none before the join; what was written is read, by root alone", () => {
    expect(readIdentity(dir)).toBeUndefined();
    writeIdentity(dir, identity);
    expect(readIdentity(dir)).toEqual(identity);
    expect(findControlUrl(dir)).toBe(identity.controlUrl);
    expect(statSync(identityPath(dir)).mode & 0o777).toBe(0o600);
  });

  test.each(["", "{", "null", '{"version":2}'])("a file with %j is damaged, and says what to do", (text) => {
    writeIdentity(dir, identity);
    writeFileSync(identityPath(dir), text);
    expect(() => readIdentity(dir)).toThrow("join the control plane again");
    expect(findControlUrl(dir)).toBeUndefined();
  });

  test("the key is made once", () => {
    expect(ensureHostKey(dir).publicKey).toBe(ensureHostKey(dir).publicKey);
  });
});

test.each([
  ["Web-1.example.org", "web-1"],
  ["_My Host_", "my-host"],
  ["", "host"],
  ["...", "host"],
  ["x".repeat(80), "x".repeat(63)],
])("the machine %j is host %j", (machine, name) => expect(toHostName(machine)).toBe(name));

describe("stats", () => {
  test("memory in use is what is not available", () => {
    const text = "MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    400 kB\n";
    expect(parseMemory(text)).toEqual({ totalBytes: 1_024_000, availableBytes: 409_600 });
    expect(parseMemory("")).toEqual({ totalBytes: 0, availableBytes: 0 });
  });

  test("a sample of this machine is within its own bounds", () => {
    const sample = new StatsSampler(dir, () => ({ running: 1, total: 2 })).sample();
    expect(sample.cpuPercent).toBeGreaterThanOrEqual(0);
    expect(sample.cpuPercent).toBeLessThanOrEqual(100);
    expect(sample.memoryUsedBytes).toBeLessThanOrEqual(sample.memoryTotalBytes);
    expect(sample.diskUsedBytes).toBeLessThanOrEqual(sample.diskTotalBytes);
    expect(sample).toMatchObject({ containersRunning: 1, containersTotal: 2 });
  });
});

test.each([
  [undefined, 5_000],
  ["20000", 20_000],
  ["1", 5_000],
  ["-1", 5_000],
  ["often", 5_000],
  ["1e300", 3_600_000],
])("a control plane that asks for stats each %s ms gets them each %i ms", (asked, expected) =>
  expect(readInterval({ [HEARTBEAT_INTERVAL_HEADER]: asked })).toBe(expected),
);
