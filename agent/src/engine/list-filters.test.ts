import { ContainerConfig, HostConfig } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import { matchesFilters, parseListFilters } from "./list-filters.ts";
import { ContainerRecord } from "./record.ts";

const mount = { type: "volume", name: "data", source: "", destination: "/data", isReadOnly: false, mode: "z", propagation: "", isRecursive: true, isReadOnlyRecursive: true, copiesUp: true, subpath: "", options: [], isMountRequest: false, isAnonymous: false }; // prettier-ignore

function record(change: Partial<ContainerRecord>): ContainerRecord {
  return ContainerRecord.parse({
    version: 1,
    id: "abc".padEnd(64, "0"),
    namespace: "default",
    name: "web-1",
    createdAtMs: 100,
    imageReference: "nginx:latest",
    imageId: "sha256:nginx",
    path: "sh",
    args: [],
    config: ContainerConfig.parse({ Labels: { app: "shop", tier: "" }, ExposedPorts: { "80/tcp": {} } }),
    hostConfig: HostConfig.parse({ NetworkMode: "bridge" }),
    endpoints: [{ networkName: "bridge", aliases: [] }],
    mounts: [mount],
    cgroupPath: "",
    isExempt: true,
    status: "exited",
    intent: "none",
    pid: 0,
    pidStartTicks: 0,
    startedAtMs: 1,
    finishedAtMs: 2,
    exitCode: 3,
    error: "",
    isOomKilled: false,
    restartCount: 0,
    restartDelayMs: 0,
    isManuallyStopped: false,
    attachment: { netnsPath: "", endpoints: [], ports: [{ containerPort: 80, protocol: "tcp", hostIp: "", hostPort: 8080 }] },
    health: null,
    ...change,
  });
}

const other = record({ id: "def".padEnd(64, "0"), name: "other", createdAtMs: 200 });
const lookups = { find: () => other, imageIdOf: (reference: string) => (reference.startsWith("nginx") ? "sha256:nginx" : undefined) };
const matches = (filters: Record<string, string[]>, change: Partial<ContainerRecord> = {}): boolean =>
  matchesFilters(record(change), parseListFilters(new Map(Object.entries(filters)), lookups));

describe("matchesFilters", () => {
  test.each([
    [{}, true],
    [{ id: ["abc"] }, true],
    [{ id: ["bc"] }, false],
    [{ name: ["web"] }, true],
    [{ name: ["^/web-1$"] }, true],
    [{ name: ["^web$"] }, false],
    [{ name: ["(["] }, false],
    [{ name: ["nope", "web"] }, true],
    [{ label: ["app"] }, true],
    [{ label: ["app=shop", "tier"] }, true],
    [{ label: ["app=shop", "tier=x"] }, false],
    [{ status: ["exited", "dead"] }, true],
    [{ status: ["running"] }, false],
    [{ exited: ["3"] }, true],
    [{ exited: ["0"] }, false],
    [{ ancestor: ["nginx"] }, true],
    [{ ancestor: ["redis"] }, false],
    [{ before: ["other"] }, true],
    [{ since: ["other"] }, false],
    [{ volume: ["data"] }, true],
    [{ volume: ["/data"] }, true],
    [{ volume: ["log"] }, false],
    [{ network: ["bridge"] }, true],
    [{ network: ["host"] }, false],
    [{ publish: ["8080"] }, true],
    [{ publish: ["8000-8090/tcp"] }, true],
    [{ publish: ["8080/udp"] }, false],
    [{ expose: ["80"] }, true],
    [{ expose: ["443"] }, false],
    [{ health: ["none"] }, true],
    [{ health: ["healthy"] }, false],
    [{ "is-task": ["true"] }, false],
    [{ "is-task": ["false"] }, true],
  ])("%j: %s", (filters, expected) => {
    expect(matches(filters)).toBe(expected);
  });

  test("an exit code is asked only of what has ended", () => {
    expect(matches({ exited: ["3"] }, { status: "running" })).toBe(false);
  });
});

test.each([
  [{ status: ["asleep"] }, "invalid filter 'status=asleep'"],
  [{ health: ["fine"] }, "invalid filter 'health=fine'"],
  [{ exited: ["x"] }, "invalid filter 'exited=x'"],
  [{ publish: ["70000"] }, "invalid filter 'publish=70000'"],
  [{ colour: ["red"] }, "invalid filter 'colour'"],
])("%j is refused", (filters, message) => {
  expect(() => parseListFilters(new Map(Object.entries(filters)), lookups)).toThrow(message);
});
