import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { silentLogger } from "@flotilla/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Call, Reply } from "../api/call.ts";
import { EventBus } from "../events/bus.ts";
import { Database } from "../store/database.ts";
import { volumeRoutes } from "./volume-routes.ts";
import { createVolumeStore, type Volumes } from "./volume-store.ts";

let root: string;
let db: Database;
let volumes: Volumes;
let events: EventBus;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flotilla-vol-"));
  db = new Database(":memory:");
  events = new EventBus();
  const config = { dataDir: root, runDir: root, socketPath: "", instance: "1a2b3c4d", logLevel: "info", compileCacheDir: "/c" } as const;
  volumes = createVolumeStore({ config, db, events, logger: silentLogger });
});

afterEach(() => {
  db.close();
  rmSync(root, { recursive: true, force: true });
});

type Request = {
  method?: string;
  params?: Record<string, string>;
  filters?: unknown;
  query?: string;
  body?: unknown;
  version?: [number, number];
};

async function send(path: string, request: Request = {}): Promise<Reply> {
  const route = volumeRoutes({ volumes, events }).find(
    (candidate) => candidate.path === path && candidate.method === (request.method ?? "GET"),
  );
  if (route === undefined) throw new Error(`no route ${path}`);
  const query = new URLSearchParams(request.query);
  if (request.filters !== undefined) query.set("filters", JSON.stringify(request.filters));
  const call: Call = {
    namespace: "default",
    isExempt: true,
    version: request.version ?? [1, 47],
    method: route.method,
    params: request.params ?? {},
    query,
    header: () => undefined,
    body: Readable.from([]),
    json: async (schema) => schema.parse(request.body ?? {}),
    signal: AbortSignal.timeout(60_000),
  };
  return route.handler(call);
}

const namesOf = (reply: Reply): unknown =>
  reply.kind === "json" ? (reply.body as { Volumes: { Name: string }[] }).Volumes.map(({ Name }) => Name) : reply;

test("create answers 201 with Docker's shape", async () => {
  expect(
    await send("/volumes/create", { method: "POST", body: { Name: "data", Driver: "local", Labels: { a: "1" }, DriverOpts: null } }),
  ).toMatchObject({
    status: 201,
    body: {
      Name: "data",
      Driver: "local",
      Mountpoint: join(root, "volumes/default/data/_data"),
      Labels: { a: "1" },
      Options: null,
      Scope: "local",
      CreatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    },
  });
});

describe("list", () => {
  beforeEach(async () => {
    await volumes.create("default", { name: "web-data", labels: { app: "web" } });
    await volumes.create("default", { name: "db-data", labels: { app: "db" } });
    volumes.acquire("default", "db-data", "c1");
  });

  test.each([
    [undefined, ["db-data", "web-data"]],
    [{ dangling: ["true"] }, ["web-data"]],
    [{ dangling: { false: true } }, ["db-data"]],
    [{ name: ["web"] }, ["web-data"]],
    [{ label: ["app=db"] }, ["db-data"]],
    [{ driver: ["local"] }, ["db-data", "web-data"]],
    [{ driver: ["nfs"] }, []],
  ])("filters %j", async (filters, expected) => {
    expect(namesOf(await send("/volumes", { filters }))).toEqual(expected);
  });

  test("refuses a filter it does not know", async () => {
    await expect(send("/volumes", { filters: { color: ["red"] } })).rejects.toThrow("invalid filter 'color'");
  });
});

describe("prune", () => {
  let anonymous: string;

  beforeEach(async () => {
    anonymous = (await volumes.create("default", {})).name;
    await volumes.create("default", { name: "named", labels: { keep: "1" } });
    await volumes.create("default", { name: "used" });
    volumes.acquire("default", "used", "c1");
  });

  const prune = async (request: Request): Promise<unknown> => {
    const reply = await send("/volumes/prune", { method: "POST", ...request });
    return reply.kind === "json" ? (reply.body as { VolumesDeleted: string[] }).VolumesDeleted : reply;
  };

  test("takes anonymous volumes only", async () => {
    expect(await prune({})).toEqual([anonymous]);
    expect(events.history().at(-1)).toMatchObject({ type: "volume", action: "prune" });
  });

  test("takes all unused ones when asked to, or by an old client", async () => {
    expect(await prune({ filters: { all: ["1"], "label!": ["keep"] } })).toEqual([anonymous]);
    expect(await prune({ version: [1, 41] })).toEqual(["named"]);
  });
});

test("remove answers 204, inspect of what is gone throws not_found", async () => {
  await volumes.create("default", { name: "data" });
  expect(await send("/volumes/:name", { method: "DELETE", params: { name: "data" } })).toEqual({ kind: "empty", status: 204 });
  await expect(async () => send("/volumes/:name", { params: { name: "data" } })).rejects.toThrow("get data: no such volume");
});
