import { ContainerConfig, HostConfig } from "@flotilla/engine-api";
import { expect, test } from "vitest";
import { planRecovery, type RecoveryObservation, type RecoveryOperation } from "./plan-recovery.ts";
import type { ContainerRecord } from "./record.ts";

const NOW = 5_000;
const exit = { id: "a", exitCode: 7, finishedAtMs: 3_000 };
const nothing: RecoveryObservation = { exit: undefined, isProcessAlive: false, runtime: undefined };

function record(change: Partial<ContainerRecord>, policy = "no"): ContainerRecord {
  return {
    version: 1,
    id: "a",
    namespace: "default",
    name: "web",
    createdAtMs: 1,
    imageReference: "busybox:latest",
    imageId: "sha256:0",
    path: "sh",
    args: [],
    config: ContainerConfig.parse({}),
    hostConfig: HostConfig.parse({ RestartPolicy: { Name: policy } }),
    endpoints: [],
    mounts: [],
    cgroupPath: "/x/a",
    isExempt: true,
    status: "running",
    intent: "none",
    pid: 10,
    pidStartTicks: 20,
    startedAtMs: 1_000,
    finishedAtMs: 0,
    exitCode: 0,
    error: "",
    isOomKilled: false,
    restartCount: 0,
    restartDelayMs: 0,
    isManuallyStopped: false,
    attachment: null,
    health: null,
    ...change,
  };
}

const alive = { ...nothing, isProcessAlive: true };
const running = { ...nothing, runtime: { status: "running", pid: 42 } };

type Row = [title: string, before: ContainerRecord, seen: RecoveryObservation, operation: RecoveryOperation];

const rows: Row[] = [
  ["creation cut off", record({ intent: "create", status: "created" }), nothing, { kind: "discard" }],
  ["removal cut off", record({ intent: "remove", status: "removing" }), nothing, { kind: "finish-removal" }],
  ["removal failed and left it dead", record({ intent: "remove", status: "dead" }), nothing, { kind: "finish-removal" }],
  ["running", record({}), alive, { kind: "adopt" }],
  ["paused", record({ status: "paused" }), alive, { kind: "adopt" }],
  ["ended meanwhile", record({}), { ...nothing, exit }, { kind: "settle-exit", exit }],
  ["ended, and its pid is taken by another", record({}), { ...alive, exit }, { kind: "settle-exit", exit }],
  ["gone without a word", record({}), nothing, { kind: "settle-exit", exit: { id: "a", exitCode: 255, finishedAtMs: NOW } }],
  ["end noted, parts not released", record({ intent: "release", status: "exited" }), nothing, { kind: "finish-exit" }],
  ["start cut off before creation", record({ intent: "start", status: "created" }), nothing, { kind: "undo-start" }],
  [
    "start cut off after creation",
    record({ intent: "start" }),
    { ...nothing, runtime: { status: "created", pid: 42 } },
    { kind: "undo-start" },
  ],
  ["start cut off after the program began", record({ intent: "start", status: "created" }), running, { kind: "adopt-started", pid: 42 }],
  ["start cut off, program ended", record({ intent: "start", status: "created" }), { ...running, exit }, { kind: "undo-start" }],
  ["waiting for its restart", record({ status: "restarting" }, "always"), nothing, { kind: "start" }],
  ["exited, no policy", record({ status: "exited" }), nothing, { kind: "leave" }],
  ["exited, always, stopped by hand", record({ status: "exited", isManuallyStopped: true }, "always"), nothing, { kind: "start" }],
  [
    "exited, unless-stopped, stopped by hand",
    record({ status: "exited", isManuallyStopped: true }, "unless-stopped"),
    nothing,
    { kind: "leave" },
  ],
  ["created, always, never started", record({ status: "created", startedAtMs: 0 }, "always"), nothing, { kind: "leave" }],
];

test.each(rows)("%s", (...[, before, seen, operation]) => {
  expect(planRecovery(before, seen, NOW)).toEqual(operation);
});
