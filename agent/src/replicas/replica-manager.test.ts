import { silentLogger } from "@flotilla/core";
import { makeResource, REPLICA_LABEL, type Resource } from "@flotilla/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import type { ContainerView } from "../engine/containers-port.ts";
import { EventBus } from "../events/bus.ts";
import type { Timer } from "../state/timer.ts";
import { Database } from "../store/database.ts";
import { ReplicaManager } from "./replica-manager.ts";
import { ReplicaMemories } from "./replica-memory.ts";
import type { ReplicaEngine } from "./replica-ports.ts";

// The manager against an engine of two maps. What it asks of the engine is written down; a call can be made to fail.
class World {
  readonly calls: string[] = [];
  readonly containers = new Map<string, ContainerView>();
  readonly images = new Set(["web:1"]);
  readonly networks = new Set<string>();
  readonly told = new Map<string, Record<string, unknown>>();
  gathering = 0;
  flushes = 0;
  /** Keys of what was told while nobody gathered: each is a report of its own. */
  readonly single: string[] = [];
  readonly events = new EventBus();
  readonly db = new Database(":memory:");
  failing: string | undefined;
  nowMs = 1_000_000;
  readonly timers: (() => void)[] = [];
  /** Sources of mounts that are no binds of anybody's. */
  readonly ownSources: string[] = [];

  readonly engine: ReplicaEngine = {
    ofReplicas: (id) =>
      [...this.containers.values()].filter(({ labels: { [REPLICA_LABEL]: held } }) => held !== undefined && (id ?? held) === held),
    find: (namespace, id) => {
      const view = this.containers.get(id);
      return view?.namespace === namespace ? view : undefined;
    },
    create: async ({ name, body, ownSources }) => {
      this.#call(`create ${name}`);
      this.ownSources.push(...ownSources);
      const id = `c${this.calls.length}`;
      const view = {
        id,
        name,
        namespace: "default",
        status: "created",
        labels: body.Labels ?? {},
        exitCode: 0,
        startedAtMs: 0,
        imageId: "sha256:1",
        logPath: "",
      };
      this.containers.set(id, view as unknown as ContainerView);
      return { Id: id };
    },
    adopt: async (_namespace, id, labels) => {
      this.#call(`adopt ${id}`);
      this.change(id, { labels: { ...this.containers.get(id)?.labels, ...labels } });
    },
    start: async (_namespace, id) => {
      this.#call(`start ${id}`);
      this.change(id, { status: "running", startedAtMs: this.nowMs });
    },
    stop: async (_namespace, id) => {
      this.#call(`stop ${id}`);
      this.change(id, { status: "exited", exitCode: 143 });
    },
    remove: async (_namespace, id) => {
      this.#call(`remove ${id}`);
      this.containers.delete(id);
    },
    hasNetwork: (_namespace, name) => this.networks.has(name),
    hasImage: (_namespace, image) => this.images.has(image),
    pull: async ({ image, progress }) => {
      this.#call(`pull ${image}`);
      progress(0.5);
      this.images.add(image);
    },
  };

  #call(call: string): void {
    this.calls.push(call);
    if (this.failing !== undefined && call.startsWith(this.failing)) throw new Error(`${call}: no`);
  }

  change(id: string, more: Partial<ContainerView>): void {
    const view = this.containers.get(id);
    if (view !== undefined) this.containers.set(id, { ...view, ...more });
  }

  /** The container of a replica ends by itself. */
  end(id: string, exitCode: number): void {
    this.change(id, { status: "exited", exitCode });
    this.events.publish({ namespace: "default", type: "container", action: "die", id, attributes: this.containers.get(id)?.labels ?? {} });
  }

  readonly files = { prepared: [] as string[], removed: [] as string[] };
  readonly timer: Timer = {
    after: (_ms, run) => {
      this.timers.push(run);
      return () => this.timers.splice(this.timers.indexOf(run), 1);
    },
  };

  start(): ReplicaManager {
    return new ReplicaManager({
      engine: this.engine,
      files: {
        pathOf: (id, { target }) => `/run/${id}${target}`,
        prepare: ({ id, files }, contentOf) =>
          void this.files.prepared.push(`${id}: ${files.map(({ file }) => contentOf(file)?.toString() ?? "?").join()}`),
        remove: (id) => void this.files.removed.push(id),
        ids: () => [],
      },
      memories: new ReplicaMemories(this.db),
      observed: {
        set: (key, body) => {
          this.told.set(key, body);
          if (this.gathering === 0) this.single.push(key);
        },
        remove: (key) => void this.told.delete(key),
        gather: () => {
          this.gathering += 1;
          return () => void (this.gathering -= 1);
        },
        flush: () => void (this.flushes += 1),
      },
      events: this.events,
      lastLines: async () => ["the last line"],
      silentSinceMs: () => undefined,
      timer: this.timer,
      nowMs: () => this.nowMs,
      logger: silentLogger,
    });
  }
}

const replica = (id: string, more: object = {}): Resource =>
  makeResource(`replica/${id}`, {
    id,
    namespace: "default",
    name: `shop-web-${id}`,
    stack: "shop",
    service: "web",
    slot: "1",
    revision: "v1",
    kind: "service",
    image: "web:1",
    pullPolicy: "missing",
    body: { Cmd: ["serve"], HostConfig: { Memory: 1_048_576 } },
    networks: [],
    files: [],
    restart: { condition: "any", delayMs: 0, maxAttempts: null },
    stopsAfterMs: null,
    ...more,
  });

let world: World;
let manager: ReplicaManager;
beforeEach(() => {
  world = new World();
  manager = world.start();
});
/** Nothing of the fake takes time: when all promises have run, the manager rests. */
const rest = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
};
const passTime = async (ms: number): Promise<void> => {
  world.nowMs += ms;
  for (const run of world.timers.splice(0)) run();
  await rest();
};
const phase = (id: string): unknown => world.told.get(`replica/${id}`)?.["phase"];

describe("a replica that is wanted", () => {
  test("is pulled, created, started and told", async () => {
    expect(await manager.apply([replica("a", { image: "web:2" })])).toEqual([]);
    await rest();
    expect(world.calls).toEqual(["pull web:2", "create shop-web-a", "start c2"]);
    expect(world.told.get("replica/a")).toMatchObject({ phase: "running", containerId: "c2", restarts: 0, reason: "" });
    await manager.apply([replica("a", { image: "web:2" })]);
    await rest();
    expect(world.calls).toHaveLength(3);
  });

  const ID = "d".repeat(64);
  const present = (more: object = {}): void =>
    void world.containers.set(ID, {
      id: ID,
      name: "shop_web_1",
      namespace: "default",
      status: "running",
      labels: { own: "1" },
      exitCode: 0,
      startedAtMs: 1,
      ...more,
    } as unknown as ContainerView);

  test("takes over the container that it shall, as it runs, and does so once", async () => {
    present();
    await manager.apply([replica("a", { adopts: ID })]);
    await rest();
    await manager.apply([replica("a", { adopts: ID })]);
    await rest();
    expect(world.calls).toEqual([`adopt ${ID}`]);
    expect(world.containers.get(ID)?.labels).toEqual({ own: "1", "io.flotilla.replica": "a", "io.flotilla.revision": "v1" });
    expect(world.told.get("replica/a")).toMatchObject({ phase: "running", containerId: ID, restarts: 0 });
  });

  test("is made where its container is gone, of another namespace, or another replica's", async () => {
    await manager.apply([replica("a", { adopts: ID })]);
    await rest();
    present({ namespace: "other" });
    await manager.apply([replica("a", { adopts: ID }), replica("b", { adopts: ID })]);
    await rest();
    world.containers.delete(ID);
    present({ labels: { "io.flotilla.replica": "a" } });
    await manager.apply([replica("a", { adopts: ID }), replica("b", { adopts: ID }), replica("c", { adopts: ID })]);
    await rest();
    expect(world.calls.filter((call) => call.startsWith("create") || call.startsWith("adopt"))).toEqual([
      "create shop-web-a",
      "create shop-web-b",
      "create shop-web-c",
    ]);
  });

  test("whose container cannot be taken over says why and tries again", async () => {
    present();
    world.failing = "adopt";
    await manager.apply([replica("a", { adopts: ID })]);
    await rest();
    expect(world.told.get("replica/a")).toMatchObject({ phase: "waiting", reason: `adopt ${ID}: no` });
    world.failing = undefined;
    await passTime(1_000);
    expect(world.told.get("replica/a")).toMatchObject({ phase: "running", containerId: ID });
  });

  test("is reported with the others that come up; one that ceases to serve at once", async () => {
    await manager.apply([replica("a"), replica("b")]);
    await rest();
    expect([world.single, world.gathering, world.flushes]).toEqual([[], 0, 0]);
    world.end("c1", 7);
    await rest();
    expect([phase("a"), world.flushes]).toEqual(["waiting", 1]);
  });

  test("holds no reports back once a step has failed", async () => {
    world.failing = "create";
    await manager.apply([replica("a")]);
    await rest();
    expect([phase("a"), world.gathering]).toEqual(["waiting", 0]);
  });

  test("of which nothing comes at once is reported at once", async () => {
    await manager.apply([replica("a", { networks: [{ name: "shop_default", aliases: [] }] })]);
    await rest();
    expect([phase("a"), world.gathering]).toEqual(["preparing", 0]);
  });

  test("goes when it is not wanted any more", async () => {
    await manager.apply([replica("a"), replica("b")]);
    await rest();
    world.calls.length = 0;
    await manager.apply([replica("b")]);
    await rest();
    expect(world.calls).toEqual(["stop c1", "remove c1"]);
    expect([...world.told.keys()]).toEqual(["replica/b"]);
    expect(world.files.removed).toEqual(["a"]);
  });

  test("is started again when it ends, with its last lines told", async () => {
    await manager.apply([replica("a")]);
    await rest();
    world.end("c1", 7);
    await rest();
    expect(world.told.get("replica/a")).toMatchObject({
      phase: "waiting",
      exitCode: 7,
      reason: "it ended with exit code 7",
      log: ["the last line"],
    });
    await passTime(100);
    expect(world.calls.at(-1)).toBe("start c1");
    expect(world.told.get("replica/a")).toMatchObject({ phase: "running", restarts: 1 });
  });

  test("has its files before each start", async () => {
    await manager.apply([
      makeResource("stack-file/s1", { base64: Buffer.from("hush").toString("base64") }),
      replica("a", { files: [{ file: "s1", kind: "secret", target: "/run/secrets/key", uid: 0, gid: 0, mode: 0o400 }] }),
    ]);
    await rest();
    expect(world.files.prepared).toEqual(["a: hush", "a: hush"]);
    expect(world.ownSources).toHaveLength(1);
  });

  test("waits for its network and its files, which is no failure", async () => {
    const file = { file: "s1", kind: "secret", target: "/run/secrets/key", uid: 0, gid: 0, mode: 0o400 };
    const waiting = replica("a", { networks: [{ name: "shop_default", aliases: [] }], files: [file] });
    await manager.apply([waiting]);
    await rest();
    expect(world.told.get("replica/a")).toMatchObject({ phase: "preparing", progress: "waits for network shop_default" });
    world.networks.add("shop_default");
    await passTime(100);
    expect(world.told.get("replica/a")).toMatchObject({ phase: "preparing", progress: "waits for secret /run/secrets/key" });
    await manager.apply([waiting, makeResource("stack-file/s1", { base64: "" })]);
    await rest();
    expect(phase("a")).toBe("running");
  });

  test("what fails is told in words and tried again", async () => {
    world.failing = "pull";
    await manager.apply([replica("a", { image: "web:3" })]);
    await rest();
    expect(world.told.get("replica/a")).toMatchObject({ phase: "waiting", reason: "pull web:3: no" });
    world.failing = undefined;
    await passTime(100);
    expect(phase("a")).toBe("running");
  });

  test("a removal that fails is tried again", async () => {
    await manager.apply([replica("a")]);
    await rest();
    world.failing = "remove";
    await manager.apply([]);
    await rest();
    expect(world.containers.size).toBe(1);
    world.failing = undefined;
    await passTime(1_000);
    expect(world.containers.size).toBe(0);
  });
});

describe("an agent that is killed", () => {
  test("between creation and start goes on, and makes no second container", async () => {
    world.failing = "start";
    await manager.apply([replica("a")]);
    await rest();
    await manager.close();
    world.failing = undefined;
    manager = world.start();
    world.nowMs += 1_000;
    await manager.apply([replica("a")]);
    await rest();
    expect(world.calls.filter((call) => call.startsWith("create"))).toHaveLength(1);
    // Which is no restart: a rollout would take it for a failure.
    expect(world.told.get("replica/a")).toMatchObject({ phase: "running", restarts: 0 });
  });

  test("inside a restart counts it once", async () => {
    await manager.apply([replica("a")]);
    await rest();
    world.end("c1", 1);
    await rest();
    world.failing = "start";
    await passTime(100);
    await manager.close();
    world.failing = undefined;
    manager = world.start();
    world.nowMs += 1_000;
    await manager.apply([replica("a")]);
    await rest();
    expect(world.told.get("replica/a")).toMatchObject({ phase: "running", restarts: 1 });
  });

  test("remembers restarts", async () => {
    await manager.apply([replica("a")]);
    await rest();
    world.end("c1", 1);
    await rest();
    await manager.close();
    manager = world.start();
    await manager.apply([replica("a")]);
    await rest();
    await passTime(200);
    expect(world.told.get("replica/a")).toMatchObject({ phase: "running", restarts: 1 });
  });

  test("removes at its start what is not wanted any more", async () => {
    await manager.apply([replica("a")]);
    await rest();
    await manager.close();
    manager = world.start();
    world.told.clear();
    world.failing = "stop";
    await manager.apply([]);
    await rest();
    // Until it is gone it is there, and nobody makes another one in its place.
    expect(world.told.get("replica/a")).toMatchObject({ phase: "running", containerId: "c1" });
    world.failing = undefined;
    await passTime(1_000);
    expect([world.containers.size, world.told.size]).toEqual([0, 0]);
  });
});

describe("a replica that nobody can read", () => {
  const unknown = makeResource("replica/a", { id: "a" });
  const kept = makeResource("replica/a", { kept: "revision 3 cannot be read" });

  test("is a failure with its reason", async () => {
    expect(await manager.apply([unknown])).toEqual([
      { key: "replica/a", message: "replica/a is not of a form that this agent knows: upgrade it" },
    ]);
    expect(await manager.apply([kept])).toEqual([{ key: "replica/a", message: "revision 3 cannot be read" }]);
  });

  test("is looked after as it was, with its files", async () => {
    const file = { file: "s1", kind: "secret", target: "/run/secrets/key", uid: 0, gid: 0, mode: 0o400 };
    await manager.apply([
      makeResource("stack-file/s1", { base64: Buffer.from("hush").toString("base64") }),
      replica("a", { files: [file] }),
    ]);
    await rest();
    await manager.apply([kept, makeResource("stack-file/s1", { kept: "it cannot be opened" })]);
    world.end("c1", 7);
    await rest();
    await passTime(100);
    expect(world.calls.at(-1)).toBe("start c1");
    expect(world.files.prepared.at(-1)).toBe("a: hush");
  });

  test("is left alone by an agent that never knew it, also when its container ends", async () => {
    await manager.apply([replica("a")]);
    await rest();
    await manager.close();
    manager = world.start();
    await manager.apply([kept]);
    world.end("c1", 7);
    await rest();
    expect(world.calls).toEqual(["create shop-web-a", "start c1"]);
    await manager.apply([]);
    await rest();
    expect(world.containers.size).toBe(0);
  });
});
