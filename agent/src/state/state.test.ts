import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@flotilla/core";
import {
  hashDocument,
  makeResource,
  type ObservedMessage,
  type Resource,
  type ResourceFailure,
  type SnapshotMessage,
} from "@flotilla/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Database } from "../store/database.ts";
import { DesiredState, type Outcome } from "./desired-state.ts";
import { DesiredStore } from "./desired-store.ts";
import { ObservedState } from "./observed-state.ts";
import type { Timer } from "./timer.ts";

const ORIGIN = "key/host";

/** Time that passes when the test says so. */
class FakeTimer implements Timer {
  #planned: { run: () => void; ms: number }[] = [];
  after(ms: number, run: () => void): () => void {
    const entry = { run, ms };
    this.#planned.push(entry);
    return () => (this.#planned = this.#planned.filter((other) => other !== entry));
  }
  get delays(): number[] {
    return this.#planned.map(({ ms }) => ms);
  }
  pass(): void {
    for (const { run } of this.#planned.splice(0)) run();
  }
}

const snapshot = (generation: number, ...resources: Resource[]): SnapshotMessage => ({
  type: "snapshot",
  generation,
  hash: hashDocument(resources),
  resources,
});
const a = makeResource("fake/a", { value: 1 });
const b = makeResource("fake/b", { value: 1 });

/** Notes what it is asked, and fails as it is told. */
class FakeReconciler {
  readonly calls: string[][] = [];
  failures: ResourceFailure[] = [];
  error: Error | undefined;
  gate: Promise<void> = Promise.resolve();
  async apply(resources: readonly Resource[]): Promise<readonly ResourceFailure[]> {
    this.calls.push(resources.map(({ key, body }) => `${key}=${JSON.stringify(body["value"])}`));
    await this.gate;
    if (this.error !== undefined) throw this.error;
    return this.failures;
  }
}

let dir: string;
let db: Database;
let timer: FakeTimer;
let fake: FakeReconciler;
let outcomes: Outcome[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "fls-"));
  db = new Database(join(dir, "agent.db"));
  timer = new FakeTimer();
  outcomes = [];
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true, force: true });
});

/** The state as a start of the agent makes it, from what is on the disk. */
function boot(): DesiredState {
  const desired = new DesiredState({ store: new DesiredStore(db), logger: silentLogger, timer, random: () => 0.5 });
  fake = new FakeReconciler();
  desired.register("fake", fake);
  desired.onOutcome((outcome) => outcomes.push(outcome));
  return desired;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("desired state on a host", () => {
  test("is applied when it comes, and told once it is", async () => {
    const desired = boot();
    desired.start();
    expect(desired.version(ORIGIN)).toBeNull();
    expect(desired.receive(ORIGIN, snapshot(1, a))).toBe("accept");
    expect(desired.version(ORIGIN)).toEqual({ generation: 1, hash: hashDocument([a]) });
    await settled();
    expect(fake.calls.at(-1)).toEqual(["fake/a=1"]);
    expect(outcomes.at(-1)).toEqual({ version: { generation: 1, hash: hashDocument([a]) }, failures: [] });
  });

  test("is stored before it is applied, and applied at the next start without anybody", async () => {
    const first = boot();
    first.start();
    first.receive(ORIGIN, snapshot(1, a, b));
    // Killed here: nothing of the first process is used any more but the file.
    const second = boot();
    second.start();
    expect(second.version(ORIGIN)).toMatchObject({ generation: 1 });
    await settled();
    expect(fake.calls).toEqual([["fake/a=1", "fake/b=1"]]);
  });

  test("a start without any tells the parts so, that they remove what is left of an earlier one", async () => {
    boot().start();
    await settled();
    expect(fake.calls).toEqual([[]]);
  });

  test("a delta changes what it says, in the store too", () => {
    const desired = boot();
    desired.receive(ORIGIN, snapshot(1, a, b));
    const a2 = makeResource("fake/a", { value: 2 });
    const delta = { type: "delta" as const, from: 1, to: 2, hash: hashDocument([a2]), set: [a2], remove: ["fake/b"] };
    expect(desired.receive(ORIGIN, delta)).toBe("accept");
    expect(boot().resources("fake")).toEqual([a2]);
    expect(boot().receive(ORIGIN, delta)).toBe("same");
  });

  test("an old generation is refused and changes nothing", () => {
    const desired = boot();
    desired.receive(ORIGIN, snapshot(5, a));
    expect(desired.receive(ORIGIN, snapshot(4, b))).toEqual({ refused: "generation 4 is not newer than 5" });
    expect(boot().resources("fake")).toEqual([a]);
  });

  test("that of another control plane is nothing to this one, which may begin at 1 again", async () => {
    const desired = boot();
    desired.start();
    desired.receive(ORIGIN, snapshot(9, a));
    expect(desired.version("other/host")).toBeNull();
    expect(desired.receive("other/host", snapshot(1, b))).toBe("accept");
    await settled();
    expect(fake.calls.at(-1)).toEqual(["fake/b=1"]);
    expect(boot().version("other/host")).toMatchObject({ generation: 1 });
    expect(boot().version(ORIGIN)).toBeNull();
  });

  test("a damaged store is nothing: the control plane sends it anew", () => {
    boot().receive(ORIGIN, snapshot(3, a));
    db.run("UPDATE desired_resources SET body = '{\"value\":7}', revision = ?", b.revision);
    expect(boot().version(ORIGIN)).toBeNull();
    boot().receive(ORIGIN, snapshot(3, a));
    db.run("UPDATE desired_resources SET body = 'no json'");
    expect(boot().version(ORIGIN)).toBeNull();
  });

  test("the file is root's alone", () => {
    expect(statSync(join(dir, "agent.db")).mode & 0o777).toBe(0o600);
  });

  test("kinds that nobody applies are failures with a reason", async () => {
    const desired = boot();
    desired.start();
    desired.receive(ORIGIN, snapshot(1, a, makeResource("newfangled/x", {})));
    await settled();
    expect(outcomes.at(-1)?.failures).toEqual([{ key: "newfangled/x", message: "this agent does not know newfangled: upgrade it" }]);
  });
});

describe("applying", () => {
  test("a failure is told, and tried again later and later until it is none", async () => {
    const desired = boot();
    desired.start();
    await settled();
    fake.failures = [{ key: "fake/a", message: "no such device" }];
    desired.receive(ORIGIN, snapshot(1, a));
    const delays: number[] = [];
    for (let attempt = 0; attempt < 10; attempt++) {
      await settled();
      expect(outcomes.at(-1)?.failures).toEqual(fake.failures);
      delays.push(...timer.delays);
      timer.pass();
    }
    expect(delays).toHaveLength(10);
    expect(delays.toSorted((x, y) => x - y)).toEqual(delays);
    expect(delays.at(-1)).toBeLessThanOrEqual(60_500);
    fake.failures = [];
    await settled();
    timer.pass();
    await settled();
    expect(outcomes.at(-1)?.failures).toEqual([]);
    expect(timer.delays).toEqual([]);
  });

  test("what it throws is the failure of each resource", async () => {
    const desired = boot();
    desired.start();
    fake.error = new Error("nft is gone");
    desired.receive(ORIGIN, snapshot(1, a, b));
    await settled();
    expect(outcomes.at(-1)?.failures).toEqual([
      { key: "fake/a", message: "nft is gone" },
      { key: "fake/b", message: "nft is gone" },
    ]);
  });

  test("a change during it is seen by the next, of which there is one at a time", async () => {
    const desired = boot();
    desired.start();
    await settled();
    const gate = Promise.withResolvers<void>();
    fake.gate = gate.promise;
    desired.receive(ORIGIN, snapshot(1, a));
    desired.receive(ORIGIN, snapshot(2, a, b));
    desired.receive(ORIGIN, snapshot(3, b));
    await settled();
    expect(fake.calls).toEqual([[], ["fake/a=1"]]);
    expect(outcomes.map(({ version }) => version.generation)).toEqual([]);
    gate.resolve();
    await settled();
    expect(fake.calls).toEqual([[], ["fake/a=1"], ["fake/b=1"]]);
    expect(outcomes.map(({ version }) => version.generation)).toEqual([3]);
  });

  test("one kind does not wait for another", async () => {
    const desired = boot();
    const other = new FakeReconciler();
    desired.register("other", other);
    fake.gate = new Promise(() => undefined);
    desired.start();
    desired.receive(ORIGIN, snapshot(1, a, makeResource("other", { value: 2 })));
    await settled();
    expect(other.calls.at(-1)).toEqual(["other=2"]);
    expect(desired.outcome).toBeUndefined();
  });

  test("one that hangs is a failure of its resources while it does, and holds back nothing that is said of others", async () => {
    const desired = boot();
    const other = new FakeReconciler();
    desired.register("other", other);
    const gate = Promise.withResolvers<void>();
    fake.gate = gate.promise;
    other.failures = [{ key: "other", message: "no such device" }];
    desired.start();
    desired.receive(ORIGIN, snapshot(1, a));
    await settled();
    expect(desired.outcome).toBeUndefined();
    timer.pass();
    await settled();
    expect(outcomes.at(-1)?.failures).toEqual([
      { key: "fake/a", message: "is still being applied after 120 s" },
      { key: "other", message: "no such device" },
    ]);
    gate.resolve();
    await settled();
    expect(outcomes.at(-1)?.failures).toEqual([{ key: "other", message: "no such device" }]);
  });

  test("a part can ask to be called again, and nobody is called twice for one kind", async () => {
    const desired = boot();
    expect(() => desired.register("fake", new FakeReconciler())).toThrow(/two parts/);
    desired.start();
    await settled();
    desired.reapply("fake");
    await settled();
    expect(fake.calls).toEqual([[], []]);
    expect(() => desired.register("late", new FakeReconciler())).toThrow(/after the start/);
  });

  test("the end calls retries off", async () => {
    const desired = boot();
    fake.failures = [{ key: "fake", message: "x" }];
    desired.start();
    await settled();
    await desired.close();
    expect(timer.delays).toEqual([]);
  });
});

describe("observed state", () => {
  test("a connection gets everything, then what changes, gathered", async () => {
    const observed = new ObservedState(silentLogger);
    observed.set("service/a", { up: 1 });
    const sent: ObservedMessage[] = [];
    const { feed, close } = observed.open((message) => sent.push(message));
    expect(sent).toMatchObject([{ type: "observed_snapshot", resources: [{ key: "service/a" }] }]);
    observed.set("service/a", { up: 1 });
    observed.set("service/b", { up: 1 });
    observed.set("service/b", { up: 2 });
    observed.set("service/c", { up: 2 });
    observed.remove("service/c");
    observed.remove("service/a");
    feed.acknowledge(1);
    await Promise.resolve();
    expect(sent.slice(1)).toMatchObject([
      { type: "observed_delta", set: [{ key: "service/b", body: { up: 2 } }], remove: ["service/c", "service/a"] },
    ]);
    close();
    observed.set("service/d", { up: 1 });
    await Promise.resolve();
    expect(sent).toHaveLength(2);
  });

  test("while somebody gathers, what is set goes out together: after a while, at the end, or when asked for", async () => {
    const observed = new ObservedState(silentLogger, { timer });
    const sent: ObservedMessage[] = [];
    const { feed, close } = observed.open((message) => sent.push(message));
    const [endOne, endTwo] = [observed.gather(), observed.gather()];
    observed.set("replica/a", { up: 1 });
    feed.acknowledge(1);
    await Promise.resolve();
    expect(sent).toHaveLength(1);
    timer.pass();
    await Promise.resolve();
    feed.acknowledge(2);
    observed.set("replica/b", { up: 1 });
    endOne();
    endOne();
    await Promise.resolve();
    expect(sent.slice(1)).toMatchObject([{ set: [{ key: "replica/a" }] }]);
    endTwo();
    await Promise.resolve();
    expect(sent.slice(2)).toMatchObject([{ set: [{ key: "replica/b" }] }]);
    feed.acknowledge(3);
    const end = observed.gather();
    observed.set("replica/a", { up: 0 });
    observed.flush();
    await Promise.resolve();
    expect(sent.slice(3)).toMatchObject([{ set: [{ key: "replica/a", body: { up: 0 } }] }]);
    end();
    close();
    expect(timer.delays).toEqual([]);
  });

  test("what is costly to say is asked for once, when it is about to be told", async () => {
    const observed = new ObservedState(silentLogger, { timer });
    const sent: ObservedMessage[] = [];
    let asked = 0;
    let body: { size: number } | undefined = { size: 1 };
    const change = (): void => observed.describe("network/a", () => ((asked += 1), body));
    change();
    expect(asked).toBe(0);
    const { feed, close } = observed.open((message) => sent.push(message));
    expect(sent).toMatchObject([{ type: "observed_snapshot", resources: [{ key: "network/a", body: { size: 1 } }] }]);
    feed.acknowledge(1);
    const end = observed.gather();
    for (const size of [2, 3, 4]) {
      body = { size };
      change();
      await Promise.resolve();
    }
    expect(asked).toBe(1);
    end();
    await Promise.resolve();
    expect([asked, sent.slice(1)]).toMatchObject([2, [{ set: [{ key: "network/a", body: { size: 4 } }] }]]);
    feed.acknowledge(2);
    body = undefined;
    change();
    await Promise.resolve();
    expect(sent.slice(2)).toMatchObject([{ set: [], remove: ["network/a"] }]);
    close();
  });

  test("and stays as it was told when it cannot be said", async () => {
    const observed = new ObservedState(silentLogger, { timer });
    const sent: ObservedMessage[] = [];
    const { feed, close } = observed.open((message) => sent.push(message));
    feed.acknowledge(1);
    observed.describe("network/a", () => {
      throw new Error("the database is closed");
    });
    observed.set("replica/a", { up: 1 });
    await Promise.resolve();
    expect(sent.slice(1)).toMatchObject([{ set: [{ key: "replica/a" }], remove: [] }]);
    close();
  });

  test("is bounded: what is too much is left out", () => {
    const observed = new ObservedState(silentLogger);
    observed.set("big/a", { text: "x".repeat(4_000_000) });
    observed.set("big/b", { text: "x".repeat(4_000_000) });
    const sent: ObservedMessage[] = [];
    observed.open((message) => sent.push(message));
    expect(sent).toMatchObject([{ resources: [{ key: "big/a" }] }]);
    observed.remove("big/a");
    observed.set("big/b", { text: "x".repeat(4_000_000) });
    observed.open((message) => sent.push(message));
    expect(sent[1]).toMatchObject({ resources: [{ key: "big/b" }] });
  });
});
