import { describe, expect, test } from "vitest";
import { acceptDesired, type StateDocument } from "./accept-desired.ts";
import { type ComposedState, DesiredSender } from "./desired-sender.ts";
import {
  type ControlStateMessage,
  diffResources,
  hashDocument,
  makeResource,
  type ObservedMessage,
  type Resource,
  type StateVersion,
} from "./desired-state.ts";
import { isNextObserved, ObservedFeed } from "./observed-feed.ts";

/** mulberry32: the same seed gives the same choices. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** The control plane's database: what a host shall be, and its generation, as composeHostState keeps them. */
class World {
  resources = new Map<string, Resource>();
  generation = 0;
  hash = "";

  async compose(above = 0): Promise<ComposedState> {
    const resources = [...this.resources.values()];
    const hash = hashDocument(resources);
    if (hash !== this.hash || this.generation <= above) this.generation = Math.max(this.generation, above) + 1;
    this.hash = hash;
    return { generation: this.generation, hash, resources };
  }

  copy(): World {
    return Object.assign(new World(), this, { resources: new Map(this.resources) });
  }
}

/** A host: what is on its disk survives everything but the wipe of the disk. */
class Host {
  disk: StateDocument | null = null;
  newest = 0;

  take(message: ControlStateMessage): "have" | "need_snapshot" | undefined {
    if (message.type !== "snapshot" && message.type !== "delta") return undefined;
    const accepted = acceptDesired(this.disk, message);
    if (accepted.kind === "refuse") return "have";
    if (accepted.kind === "need_snapshot") return "need_snapshot";
    if (accepted.kind !== "accept") return undefined;
    expect(accepted.document.generation, "a generation never goes back").toBeGreaterThan(this.newest);
    const before = new Map([...(this.disk?.resources ?? [])].map(([key, { revision }]) => [key, revision]));
    const diff = diffResources(before, accepted.document.resources.values());
    // What it says it changes is all that it changes.
    expect(new Set([...accepted.set.map(({ key }) => key), ...accepted.remove])).toEqual(
      new Set([...accepted.set.map(({ key }) => key), ...diff.set.map(({ key }) => key), ...diff.remove]),
    );
    this.disk = accepted.document;
    this.newest = accepted.document.generation;
    return undefined;
  }

  get version(): StateVersion | null {
    return this.disk === null ? null : { generation: this.disk.generation, hash: this.disk.hash };
  }
}

describe("desired state", () => {
  // Changes, lost, swapped, repeated and old messages, reconnects, kills, wiped disks, a database that is restored from a backup.
  test.each(Array.from({ length: 60 }, (_, seed) => seed))("ends equal whatever happens on the way (seed %i)", async (seed) => {
    const below = seeded(seed);
    const world = new World();
    const host = new Host();
    const recorded: ControlStateMessage[] = [];
    let wire: ControlStateMessage[] = [];
    const connect = (): DesiredSender => {
      wire = [];
      return new DesiredSender({ compose: (above) => world.compose(above), send: (message) => void wire.push(structuredClone(message)) });
    };
    let sender = connect();
    let backup = world.copy();
    const deliver = async (): Promise<void> => {
      const message = wire.shift();
      if (message === undefined) return;
      recorded.push(message);
      const reply = host.take(message);
      if (reply === "have") await sender.onHave(host.version);
      if (reply === "need_snapshot") await sender.onNeedSnapshot();
    };
    const steps: (() => unknown)[] = [
      () => {
        const key = `k/${below(6)}`;
        world.resources.set(key, makeResource(key, { value: below(4) }));
      },
      () => world.resources.delete(`k/${below(6)}`),
      () => sender.refresh(),
      () => sender.refresh(),
      deliver,
      deliver,
      deliver,
      () => wire.shift(),
      () => wire.reverse(),
      () => wire.push(...wire.slice(0, 1)),
      () => {
        const old = recorded[below(recorded.length)];
        if (old !== undefined) wire.push(structuredClone(old));
      },
      async () => {
        sender = connect();
        await sender.onHave(host.version);
      },
      () => {
        if (below(8) > 0) return;
        host.disk = null;
        host.newest = 0;
      },
      () => (backup = world.copy()),
      () => {
        if (below(6) === 0) Object.assign(world, backup.copy());
      },
    ];
    for (let step = 0; step < 150; step++) await steps[below(steps.length)]?.();
    // In the end there is a connection that holds.
    sender = connect();
    await sender.onHave(host.version);
    await sender.refresh();
    for (let rest = 0; wire.length > 0; rest++) {
      expect(rest, "the ends come to an agreement").toBeLessThan(10);
      await deliver();
    }
    const now = await world.compose();
    expect(host.version).toEqual({ generation: now.generation, hash: now.hash });
    expect(new Map(host.disk?.resources)).toEqual(world.resources);
  });

  test("nothing is sent before the agent has said what it has, nor when nothing changed", async () => {
    const world = new World();
    const sent: ControlStateMessage[] = [];
    const sender = new DesiredSender({ compose: (above) => world.compose(above), send: (message) => void sent.push(message) });
    await sender.refresh();
    await sender.onNeedSnapshot();
    expect(sent).toEqual([]);
    await sender.onHave(null);
    await sender.refresh();
    expect(sent).toHaveLength(1);
    world.resources.set("k", makeResource("k", { a: 1 }));
    await sender.refresh();
    expect(sent[1]).toMatchObject({ type: "delta", from: 1, to: 2, remove: [] });
  });
});

describe("observed state", () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))("ends equal whatever happens on the way (seed %i)", (seed) => {
    const below = seeded(seed + 1000);
    const observed = new Map<string, Resource>();
    const stored = new Map<string, Resource>();
    let wire: ObservedMessage[] = [];
    let feed = new ObservedFeed(observed, () => undefined);
    let last = 0;
    const connect = (): void => {
      wire = [];
      last = 0;
      feed = new ObservedFeed(observed, (message) => void wire.push(structuredClone(message)));
      feed.pump();
    };
    const deliver = (): void => {
      const message = wire.shift();
      if (message === undefined) return;
      expect(wire, "one is under way at a time").toEqual([]);
      if (!isNextObserved(last, message)) return feed.restart();
      last = message.sequence;
      if (message.type === "observed_snapshot") stored.clear();
      else for (const key of message.remove) stored.delete(key);
      for (const item of message.type === "observed_snapshot" ? message.resources : message.set) stored.set(item.key, item);
      feed.acknowledge(message.sequence);
    };
    const change = (): void => {
      const key = `s/${below(5)}`;
      if (below(3) === 0) observed.delete(key);
      else observed.set(key, makeResource(key, { value: below(9) }));
      feed.touch(key);
      if (below(2) === 0) feed.pump();
    };
    connect();
    for (let step = 0; step < 200; step++) [change, change, deliver, deliver, () => below(10) === 0 && connect()][below(5)]?.();
    if (below(2) === 0) connect();
    feed.pump();
    while (wire.length > 0) deliver();
    expect(stored).toEqual(observed);
  });

  test("a delta without its snapshot, or after a gap, cannot be taken", () => {
    const delta = (sequence: number): ObservedMessage => ({ type: "observed_delta", sequence, set: [], remove: [] });
    expect([isNextObserved(0, delta(1)), isNextObserved(1, delta(2)), isNextObserved(1, delta(3)), isNextObserved(2, delta(2))]).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });
});
