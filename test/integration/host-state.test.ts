import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashDocument, makeResource, type ResourceBody, type ResourceFailure } from "@flotilla/protocol";
import {
  composeHostState,
  composeHostStates,
  type HostComposer,
  listObserved,
  notifyHostState,
  recordApplied,
  storeObserved,
} from "@flotilla/services";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Database } from "../../agent/src/store/database.ts";
import { ADMIN_TOKEN, startTestControl, type TestControl } from "../support/control.ts";
import {
  echoEngine,
  type LinkedAgent,
  type LinkedState,
  makeState,
  openLink,
  startLinkedAgent,
  until,
  untilOnline,
} from "../support/linked-agent.ts";

// The channel over a real Postgres, a real link and the agent's real store.
let control: TestControl;
let agent: LinkedAgent;
let state: LinkedState;
let db: Database;
let dir: string;
const wanted = new Map<string, ResourceBody>();
let failures: ResourceFailure[] = [];
let applied: string[] = [];

const composer: HostComposer = { kind: "fake", compose: async () => wanted };

function openState(): LinkedState {
  const made = makeState(db);
  made.desired.register("fake", {
    apply: async (resources) => {
      applied = resources.map(({ key }) => key).toSorted();
      return failures;
    },
  });
  return made;
}

beforeAll(async () => {
  control = await startTestControl({ withAdmin: true });
  Object.assign(control.services, { composers: [composer] });
});
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "fls-"));
  db = new Database(join(dir, "agent.db"));
  wanted.clear();
  failures = [];
  state = openState();
  state.desired.start();
  agent = await startLinkedAgent(control, { name: `web-${Date.now()}`, state });
});
afterEach(async () => {
  await agent.close();
  await state.desired.close();
  db.close();
  rmSync(dir, { recursive: true, force: true });
});
afterAll(() => control.close());

async function change(): Promise<void> {
  await control.services.prisma.$transaction((tx) => notifyHostState(tx, { hostId: agent.hostId }));
}

type Summary = { state: string; generation: number; appliedGeneration: number | null; failures: ResourceFailure[] };

async function summary(): Promise<Summary> {
  const detail = await control.call("hosts.get", { host: agent.hostId }, { token: ADMIN_TOKEN });
  return (detail as { desiredState: Summary }).desiredState;
}

describe("desired state", () => {
  test("what is wanted is on the host, and the page says so", async () => {
    wanted.set("a", { value: 1 });
    await change();
    await until(async () => (await summary()).state === "applied" && applied.length === 1);
    wanted.set("b", { value: 1 });
    await change();
    await until(() => applied.length === 2);
    wanted.delete("a");
    await change();
    await until(async () => applied.join() === "fake/b" && (await summary()).state === "applied");
    const now = await composeHostState(control.services, agent.hostId);
    expect(state.desired.resources("fake")).toEqual(now.resources);
  });

  test("what the host cannot do is told with its reason until it can", async () => {
    failures = [{ key: "fake/a", message: "no such device" }];
    wanted.set("a", { value: 1 });
    await change();
    await until(async () => (await summary()).state === "failing");
    expect((await summary()).failures).toEqual(failures);
    failures = [];
    await until(async () => (await summary()).state === "applied");
  });

  test("a change while the host was away, and one nobody told of, arrive with the next connection", async () => {
    await agent.disconnect();
    await untilOnline(control, agent.hostId, false);
    wanted.set("away", { value: 1 });
    // Not told: a notification that was lost.
    const link = openLink(agent.dataDir, echoEngine, state);
    try {
      await until(() => applied.join() === "fake/away");
    } finally {
      await link.close();
    }
  });

  test("a host that restarts with what it has is sent nothing; one with an older disk gets a newer generation", async () => {
    wanted.set("a", { value: 1 });
    await change();
    await until(async () => (await summary()).state === "applied");
    const { generation } = await summary();
    // The database is set back, as by a backup: the host's generation is of a future that did not happen.
    await control.services.prisma.hostState.update({ where: { hostId: agent.hostId }, data: { generation: 1n, hash: "restored" } });
    wanted.set("a", { value: 2 });
    await change();
    await until(() => state.desired.resources("fake")[0]?.body["value"] === 2);
    expect((await summary()).generation).toBeGreaterThan(generation);
  });

  test("of two control planes that compose at once both tell one generation for one state", async () => {
    wanted.set("a", { value: 1 });
    const states = await Promise.all(Array.from({ length: 8 }, () => composeHostState(control.services, agent.hostId)));
    expect(new Set(states.map(({ generation }) => generation)).size).toBe(1);
    wanted.set("a", { value: 2 });
    const next = await Promise.all(Array.from({ length: 8 }, () => composeHostState(control.services, agent.hostId)));
    expect(new Set(next.map(({ generation }) => generation))).toEqual(new Set([(states[0]?.generation ?? 0) + 1]));
  });

  test("hosts that are composed together get what each alone gets, and one that is gone says so", async () => {
    const alone = await composeHostState(control.services, agent.hostId);
    const wishes = [
      { hostId: agent.hostId, above: 0 },
      { hostId: "gone", above: 0 },
      { hostId: agent.hostId, above: alone.generation },
    ];
    const together = await composeHostStates(control.services, wishes);
    expect(together.get(agent.hostId)).toEqual({ ...alone, generation: alone.generation + 1 });
    expect(together.get("gone")).toMatchObject({ code: "not_found", message: "no such host: gone" });
  });

  test("a composer that is not well leaves the host as it is", async () => {
    wanted.set("a", { value: 1 });
    await change();
    await until(() => applied.join() === "fake/a");
    Object.assign(control.services, { composers: [{ kind: "fake", compose: () => Promise.reject(new Error("broken")) }] });
    try {
      await change();
      await expect(composeHostState(control.services, agent.hostId)).rejects.toThrow("broken");
      expect(state.desired.resources("fake")).toHaveLength(1);
    } finally {
      Object.assign(control.services, { composers: [composer] });
    }
    wanted.set("b", { value: 1 });
    await change();
    await until(() => applied.length === 2);
  });

  test("the stream is not to be had through the control plane's Docker door", async () => {
    const response = await fetch(`${control.url}/docker/${agent.name}/flotilla/v1/link/state`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    expect([403, 404]).toContain(response.status);
  });
});

describe("observed state", () => {
  test("is stored as it changes, and whole after a reconnect", async () => {
    state.observed.set("service/a", { up: 1 });
    state.observed.set("service/b", { up: 1 });
    const keys = async (): Promise<string[]> =>
      (await listObserved(control.services, "service", agent.hostId)).map(({ key, body }) => `${key} ${JSON.stringify(body)}`);
    await until(async () => (await keys()).length === 2);
    state.observed.set("service/a", { up: 2 });
    state.observed.remove("service/b");
    await until(async () => (await keys()).join() === 'service/a {"up":2}');
    await agent.disconnect();
    state.observed.remove("service/a");
    state.observed.set("service/c", { up: 3 });
    const link = openLink(agent.dataDir, echoEngine, state);
    try {
      await until(async () => (await keys()).join() === 'service/c {"up":3}');
    } finally {
      await link.close();
    }
  });

  test("a delta replaces, adds and removes, however much at once", async () => {
    const { services } = control;
    const epoch = 1_000_000;
    const say = (set: Record<string, ResourceBody>, remove: string[] = []): Promise<boolean> => {
      const resources = Object.entries(set).map(([key, body]) => makeResource(key, body));
      return storeObserved(services, { hostId: agent.hostId, epoch }, { type: "observed_delta", sequence: 1, set: resources, remove });
    };
    const stored = async (): Promise<Record<string, unknown>> =>
      Object.fromEntries((await listObserved(services, "said", agent.hostId)).map(({ key, body }) => [key, body]));
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`said/${at}`, { at }]));
    expect(await say(many)).toBe(true);
    expect(await stored()).toEqual(many);
    const odd = { text: `'"\\ {,} NULL 中文 ${"x".repeat(2_000)}`, list: [null, 1.5, { a: [] }] };
    expect(await say({ "said/0": odd, "said/new": {} }, Object.keys(many).slice(2))).toBe(true);
    expect(await stored()).toEqual({ "said/0": odd, "said/1": { at: 1 }, "said/new": {} });
    expect(await say({}, ["said/0", "said/1", "said/new", "said/absent"])).toBe(true);
    expect(await stored()).toEqual({});
  });

  test("an older connection never overwrites a newer one's report", async () => {
    const item = (value: number): ReturnType<typeof makeResource> => makeResource("service/x", { value });
    const store = (epoch: number, value: number): Promise<boolean> =>
      storeObserved(
        control.services,
        { hostId: agent.hostId, epoch },
        { type: "observed_snapshot", sequence: 1, resources: [item(value)] },
      );
    expect(await store(50, 1)).toBe(true);
    expect(await store(49, 2)).toBe(false);
    const version = { generation: 1, hash: hashDocument([]) };
    expect(await recordApplied(control.services, { hostId: agent.hostId, epoch: 49 }, { version, failures: [] })).toBe(false);
    expect(await listObserved(control.services, "service", agent.hostId)).toMatchObject([{ body: { value: 1 } }]);
    expect(await store(51, 3)).toBe(true);
    // A host that was removed has no place to write to.
    expect(
      await storeObserved(control.services, { hostId: "nobody", epoch: 9 }, { type: "observed_snapshot", sequence: 1, resources: [] }),
    ).toBe(false);
  });
});

test("an agent that knows nothing of the stream stays connected", async () => {
  const old = await startLinkedAgent(control, { name: "old-agent" });
  expect(control.services.links.state(old.hostId).isOnline).toBe(true);
  await old.close();
});
