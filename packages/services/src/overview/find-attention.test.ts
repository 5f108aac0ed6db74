import type { Reason } from "@flotilla/planner";
import { describe, expect, test } from "vitest";
import type { ContainerRow } from "../containers/read-containers.ts";
import type { HostRow } from "../hosts/schemas.ts";
import type { InvitationRow } from "../invitations/manage-invitations.ts";
import type { Mesh, MeshPair } from "../networks/describe-mesh.ts";
import type { TokenRow } from "../tokens/manage-tokens.ts";
import type { Attention } from "./attention.ts";
import type { WatchedStack } from "./attention-of-stacks.ts";
import { findAttention, type ObservedState } from "./find-attention.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const DAY_MS = 86_400_000;
const NOTHING: ObservedState = { hosts: [], containers: [], stacks: [], mesh: null, registry: null, tokens: [], invitations: [] };

const find = (state: Partial<ObservedState>): Attention[] => findAttention({ ...NOTHING, ...state }, NOW);
const codes = (state: Partial<ObservedState>): string[] => find(state).map(({ code }) => code);

const host = (more: Partial<HostRow>): HostRow =>
  ({ name: "a b", state: "online", flag: null, lastSeenAt: null, stats: null, ...more }) as HostRow;
const disk = (used: number): HostRow =>
  host({
    stats: {
      cpuPercent: 1,
      memoryUsedBytes: 1,
      memoryTotalBytes: 2,
      diskUsedBytes: used,
      diskTotalBytes: 1_000,
      containersRunning: 0,
      containersTotal: 0,
    },
  });
const container = (name: string, State: string, Status: string): ContainerRow =>
  ({ Id: "0".repeat(64), Names: [`/${name}`], Image: "shop:1", State, Status, host: { id: "h", name: "a" } }) as unknown as ContainerRow;

test("where nothing is the matter nobody is needed", () => {
  const calm = [container("web", "running", "Up 3 hours (healthy)"), container("job", "exited", "Exited (0) 2 minutes ago")];
  expect(find({ hosts: [disk(500), host({ state: "never" })], containers: calm })).toEqual([]);
});

describe("hosts", () => {
  test("that are away are named with when they were seen last", () => {
    const [found] = find({ hosts: [host({ state: "offline", lastSeenAt: "2026-11-20T11:00:00Z" })] });
    expect(found).toEqual({ code: "hostOffline", severity: "critical", host: "a b", href: "/hosts/a%20b", since: "2026-11-20T11:00:00Z" });
  });
  test("whose disk is nearly full warn, and alarm when hardly anything is left", () => {
    expect(find({ hosts: [disk(901)] })[0]).toMatchObject({ code: "diskFull", severity: "warning", percent: 90, freeBytes: 99 });
    expect(find({ hosts: [disk(980)] })[0]).toMatchObject({ severity: "critical", percent: 98 });
    expect(codes({ hosts: [disk(900)] })).toEqual([]);
  });
  test("with a flag are for an administrator to look at", () => {
    expect(find({ hosts: [host({ flag: "a second machine has its key" })] })[0]).toMatchObject({
      code: "hostFlagged",
      severity: "critical",
    });
  });
});

describe("containers", () => {
  test("that are unhealthy, restart or crashed lead to where one sees why", () => {
    const rows = [
      container("api", "running", "Up 2 hours (unhealthy)"),
      container("loop", "restarting", "Restarting (1) 5 seconds ago"),
      container("bad", "exited", "Exited (3) 10 minutes ago"),
      container("gone", "dead", "Dead"),
    ];
    const found = find({ containers: rows });
    expect(found.map(({ code, href }) => `${code} ${href}`)).toEqual([
      "unhealthy /containers/a/api",
      "restarting /containers/a/loop?tab=logs",
      "crashed /containers/a/bad?tab=logs",
      "dead /containers/a/gone",
    ]);
    expect(found[0]?.since).toBeNull();
    expect(found[2]).toMatchObject({ exitCode: 3, since: "2026-11-20T11:50:00.000Z" });
  });
  test.each([
    ["ended by itself", "Exited (0) 1 minute ago"],
    ["was stopped", "Exited (143) 1 minute ago"],
    ["was killed", "Exited (137) 1 minute ago"],
    ["crashed long ago", "Exited (1) 2 weeks ago"],
  ])("one that %s is no news", (_why, status) => expect(codes({ containers: [container("x", "exited", status)] })).toEqual([]));
  test("many of them leave room for everything else", () => {
    const rows = Array.from({ length: 50 }, (_unused, index) => container(`bad-${index}`, "exited", "Exited (1) 1 minute ago"));
    const found = find({ containers: rows, hosts: [host({ state: "offline" })] });
    expect(found).toHaveLength(10);
    expect(found[0]?.code).toBe("hostOffline");
    expect(found.at(-1)).toMatchObject({ code: "moreContainers", count: 42, href: "/containers?state=attention" });
  });
});

describe("stacks", () => {
  const stack = (service: Partial<WatchedStack["services"][number]>, more: Partial<WatchedStack> = {}): Partial<ObservedState> => ({
    stacks: [
      {
        name: "shop",
        isRemoving: false,
        startedAt: "2026-11-20T10:00:00Z",
        finishedAt: null,
        services: [
          {
            name: "web",
            state: "done",
            message: "",
            reasons: null,
            isRemoved: false,
            wanted: 2,
            running: 2,
            canApprove: false,
            ...service,
          },
        ],
        ...more,
      },
    ],
  });
  test("whose rollout failed say why and since when", () => {
    const found = find(stack({ state: "failed", message: "exit code 3" }, { finishedAt: "2026-11-20T10:05:00Z" }));
    expect(found).toMatchObject([
      {
        code: "rolloutFailed",
        severity: "critical",
        message: "exit code 3",
        href: "/stacks/shop?service=web",
        since: "2026-11-20T10:05:00Z",
      },
    ]);
  });
  test("that a person paused, or whose canary waits for one, are theirs to go on with", () => {
    expect(codes(stack({ state: "held" }))).toEqual(["rolloutHeld"]);
    expect(codes(stack({ state: "rolling", canApprove: true, running: 1 }))).toEqual(["rolloutAwaits"]);
  });
  test("with replicas that find no host say so also during the rollout; replicas on their way do not", () => {
    const message = "1 of 2 replicas have no host: no host has the label disk=ssd";
    const reasons: Reason[] = [{ code: "unplaced", values: { count: 1 } }];
    expect(find(stack({ state: "rolling", running: 1, message, reasons }))).toMatchObject([
      { code: "replicasMissing", severity: "warning", message, reasons },
    ]);
    expect(codes(stack({ state: "rolling", running: 0 }))).toEqual([]);
  });
  test("of which nothing runs any more are urgent", () => {
    expect(find(stack({ running: 0 }))).toMatchObject([{ code: "replicasMissing", severity: "critical", running: 0, wanted: 2 }]);
  });
  test("that are being removed need nobody, nor do services that go", () => {
    expect(codes(stack({ state: "failed" }, { isRemoving: true }))).toEqual([]);
    expect(codes(stack({ state: "failed", isRemoved: true }))).toEqual([]);
  });
});

describe("the mesh", () => {
  const pair = (from: string, to: string, more: Partial<MeshPair> = {}): MeshPair =>
    ({ from, to, state: "down", isStale: false, lossPerMille: 1_000, ...more }) as MeshPair;
  const mesh = (pairs: MeshPair[], more: Partial<Mesh> = {}): Partial<ObservedState> => ({
    mesh: {
      hosts: ["a", "b", "c"].map((id) => ({ id, name: `host-${id}`, isOnline: id !== "c", standing: "up" })) as Mesh["hosts"],
      pairs,
      networks: [],
      mtuProblems: [],
      ...more,
    },
  });
  test("two hosts that do not reach each other are one line", () => {
    const found = find(mesh([pair("a", "b"), pair("b", "a")]));
    expect(found).toMatchObject([{ code: "unreachable", from: "host-a", to: "host-b", isBothWays: true, href: "/networks?tab=mesh" }]);
  });
  test("one way that is cut is told as one way", () => {
    expect(find(mesh([pair("b", "a"), pair("a", "b", { state: "up" })]))).toMatchObject([
      { from: "host-b", to: "host-a", isBothWays: false },
    ]);
  });
  test("what is old, or of a host that is away anyway, is no news", () => {
    expect(codes(mesh([pair("a", "b", { isStale: true }), pair("a", "c"), pair("c", "a")]))).toEqual([]);
  });
  test("a network whose packets do not fit names both ends", () => {
    const mtuProblems = [{ networkId: "n", network: "shop-net", from: "a", to: "b", needsBytes: 1_550, pathMtuBytes: 1_500 }];
    expect(find(mesh([], { mtuProblems }))).toMatchObject([
      { code: "mtuTooLarge", network: "shop-net", from: "host-a", href: "/networks/shop-net" },
    ]);
  });
});

describe("the team", () => {
  const usage = (usedBytes: number, limitBytes: number | null): Partial<ObservedState> => ({
    registry: { usedBytes, uploadBytes: 0, limitBytes, repositories: 1 },
  });
  test("is told before its registry is full, and when it is", () => {
    expect(find(usage(95, 100))).toMatchObject([{ code: "quotaNear", severity: "warning", percent: 95 }]);
    expect(find(usage(100, 100))).toMatchObject([{ severity: "critical", percent: 100 }]);
    expect([...codes(usage(89, 100)), ...codes(usage(1e12, null))]).toEqual([]);
  });
  const token = (days: number | null, usedDaysAgo: number | null): Partial<ObservedState> => ({
    tokens: [
      {
        name: "ci",
        expiresAt: days === null ? null : new Date(NOW + days * DAY_MS).toISOString(),
        lastUsedAt: usedDaysAgo === null ? null : new Date(NOW - usedDaysAgo * DAY_MS).toISOString(),
      } as TokenRow,
    ],
  });
  test("is reminded of whom it invited, in one line", () => {
    const invited = (createdAt: string, isExpired: boolean): InvitationRow => ({ createdAt, isExpired }) as InvitationRow;
    const found = find({ invitations: [invited("2026-11-19T00:00:00Z", false), invited("2026-11-02T00:00:00Z", true)] });
    expect(found).toMatchObject([{ code: "invitationsPending", severity: "info", count: 2, expired: 1, since: "2026-11-02T00:00:00Z" }]);
  });
  test("a token that ends within a week, or ended under somebody's hands, is told", () => {
    expect(find(token(3, null))).toMatchObject([{ code: "tokenExpires", severity: "info", isOver: false, href: "/settings?tab=tokens" }]);
    expect(find(token(-1, 2))).toMatchObject([{ severity: "warning", isOver: true }]);
    expect([...codes(token(8, 1)), ...codes(token(null, 1)), ...codes(token(-1, null)), ...codes(token(-30, 20))]).toEqual([]);
  });
});

test("the urgent comes first, and of the urgent what began last", () => {
  const found = find({
    hosts: [
      host({ name: "old", state: "offline", lastSeenAt: "2026-11-01T00:00:00Z" }),
      disk(950),
      host({ name: "new", state: "offline", lastSeenAt: "2026-11-20T11:59:00Z" }),
    ],
  });
  expect(found.map((item) => ("host" in item ? `${item.severity} ${item.host}` : ""))).toEqual([
    "critical new",
    "critical old",
    "warning a b",
  ]);
});
