import { describe, expect, test } from "vitest";
import { PeerWatch, TICK_MS } from "./peer-watch.ts";

type Path = { isCut?: boolean; rttMs?: number; lossEvery?: number; carriesBytes?: number };

/** A watch with peers behind paths that can be changed, on a clock of its own. */
class Scene {
  readonly paths = new Map<number, Path>();
  readonly sent: { peer: number; atMs: number; packetBytes: number | undefined }[] = [];
  readonly watch: PeerWatch;
  nowMs = 1_000;
  #nonce = 0;
  #lost = 0;
  #answers: { peer: number; nonce: string; atMs: number }[] = [];

  constructor(peers: readonly number[], linkMtuBytes = 1500) {
    this.watch = new PeerWatch({ makeNonce: () => String((this.#nonce += 1)).padStart(16, "0") });
    for (const peer of peers) this.paths.set(peer, {});
    this.watch.setPeers(peers, { linkMtuBytes, nowMs: this.nowMs });
  }

  run(forMs: number): this {
    for (const endMs = this.nowMs + forMs; this.nowMs < endMs; this.nowMs += TICK_MS) this.#tick();
    return this;
  }

  set(peer: number, path: Path): this {
    this.paths.set(peer, path);
    return this;
  }

  state(peer: number): string | undefined {
    return this.view(peer)?.state;
  }

  view(peer: number) {
    return this.watch.views().find(({ number }) => number === peer);
  }

  #tick(): void {
    for (const { peer, nonce, packetBytes } of this.watch.due(this.nowMs)) {
      const { isCut = false, rttMs = 1, lossEvery, carriesBytes = 1500 } = this.paths.get(peer) ?? {};
      this.sent.push({ peer, atMs: this.nowMs, packetBytes });
      this.#lost += 1;
      const isLost = lossEvery !== undefined && this.#lost % lossEvery === 0;
      if (!isCut && !isLost && (packetBytes ?? 0) <= carriesBytes) this.#answers.push({ peer, nonce, atMs: this.nowMs + rttMs });
    }
    const isDue = ({ atMs }: { atMs: number }): boolean => atMs < this.nowMs + TICK_MS;
    for (const { peer, nonce, atMs } of this.#answers.filter(isDue)) this.watch.answered(peer, nonce, atMs);
    this.#answers = this.#answers.filter((answer) => !isDue(answer));
  }
}

describe("a peer", () => {
  test("is unknown until it answers", () => {
    const scene = new Scene([2]);
    expect(scene.state(2)).toBe("unknown");
    expect(scene.run(TICK_MS).state(2)).toBe("up");
  });

  test("that never answers is down after three seconds, and not before", () => {
    const scene = new Scene([2]).set(2, { isCut: true });
    expect(scene.run(3_000).state(2)).toBe("unknown");
    expect(scene.run(2 * TICK_MS).state(2)).toBe("down");
  });

  test("that stops to answer is down after more than three seconds; the others are not", () => {
    const scene = new Scene([2, 3]).run(10_000).set(2, { isCut: true });
    expect(scene.run(2_000).state(2)).toBe("up");
    expect([...scene.run(2_500).watch.unreachable()]).toEqual([2]);
    expect(scene.state(3)).toBe("up");
  });

  test("comes back with its second answer", () => {
    const scene = new Scene([2]).set(2, { isCut: true }).run(6_000).set(2, {});
    expect(scene.state(2)).toBe("down");
    expect(scene.run(1_500).state(2)).toBe("up");
    expect(scene.watch.unreachable().size).toBe(0);
    // What was lost meanwhile was told as its absence.
    expect(scene.run(5_000).view(2)?.lossPerMille).toBe(0);
  });

  test("that answers once and no more does not come back", () => {
    const scene = new Scene([2]).set(2, { isCut: true }).run(6_000);
    const [order] = scene.watch.due((scene.nowMs += 2_000));
    expect(scene.watch.answered(2, order?.nonce ?? "", scene.nowMs)).toBe(true);
    scene.run(10_000);
    expect(scene.state(2)).toBe("down");
  });

  test.each([2, 3, 10])("that loses one packet of %i stays up", (lossEvery) => {
    const scene = new Scene([2]).set(2, { lossEvery });
    for (let second = 0; second < 120; second += 1) expect(scene.run(1_000).state(2)).toBe("up");
    expect(Math.abs((scene.view(2)?.lossPerMille ?? 0) - 1_000 / lossEvery)).toBeLessThan(150);
  });

  test("that is far away stays up", () => {
    const scene = new Scene([2]).set(2, { rttMs: 900 }).run(30_000);
    expect(scene.view(2)).toMatchObject({ state: "up", rttP50Micros: 900_000, rttLastMicros: 900_000, lossPerMille: 0 });
  });
});

describe("how often", () => {
  test("once a second while all is well", () => {
    const scene = new Scene([2]).run(10_000);
    scene.sent.length = 0;
    scene.run(20_000);
    expect(scene.sent.filter(({ packetBytes }) => packetBytes === undefined)).toHaveLength(20);
  });

  test("more often in doubt, and once a second when it is over", () => {
    const scene = new Scene([2]).run(10_000).set(2, { isCut: true });
    scene.sent.length = 0;
    scene.run(4_000);
    expect(scene.sent.length).toBeGreaterThan(8);
    scene.sent.length = 0;
    scene.run(10_000);
    expect(scene.sent.length).toBeLessThanOrEqual(11);
  });

  test("many peers are asked over the second and not at once", () => {
    const scene = new Scene(Array.from({ length: 100 }, (_, index) => index + 2)).run(30_000);
    const perTick = Map.groupBy(
      scene.sent.filter(({ atMs }) => atMs > 20_000),
      ({ atMs }) => atMs,
    );
    expect(Math.max(...[...perTick.values()].map((orders) => orders.length))).toBeLessThanOrEqual(30);
  });
});

describe("a pause of this very process", () => {
  test("makes nobody down", () => {
    const scene = new Scene([2, 3]).run(5_000);
    scene.nowMs += 60_000;
    scene.run(2_000);
    expect([scene.state(2), scene.state(3)]).toEqual(["up", "up"]);
    expect(scene.view(2)?.lossPerMille).toBe(0);
  });

  test("does not make a silent one there", () => {
    const scene = new Scene([2]).run(5_000).set(2, { isCut: true });
    scene.nowMs += 60_000;
    expect(scene.run(5_000).state(2)).toBe("down");
  });
});

describe("the path's MTU", () => {
  test("is the link's when the path has nothing smaller", () => {
    expect(new Scene([2]).run(3_000).view(2)?.pathMtuBytes).toBe(1500);
  });

  test("is that of a hidden hop, found within half a minute", () => {
    const scene = new Scene([2, 3]).set(2, { carriesBytes: 1400 }).run(30_000);
    expect([scene.view(2)?.pathMtuBytes, scene.view(3)?.pathMtuBytes]).toEqual([1400, 1500]);
    expect(scene.view(2)).toMatchObject({ state: "up", lossPerMille: 0 });
  });

  test("is not what was lost while the peer was away", () => {
    const scene = new Scene([2]).set(2, { isCut: true }).run(2_000).set(2, {}).run(5_000);
    for (let times = 0; times < 5; times += 1) scene.set(2, { isCut: true }).run(3_700).set(2, {}).run(5_000);
    expect(scene.view(2)?.pathMtuBytes).toBe(1500);
  });

  test("is searched anew on another link; what the own link refuses ends a step at once", () => {
    const scene = new Scene([2]).run(3_000);
    scene.watch.setPeers([2], { linkMtuBytes: 9000, nowMs: scene.nowMs });
    expect(scene.view(2)).toMatchObject({ state: "up", pathMtuBytes: null });
    const [order] = scene.watch.due(scene.nowMs).filter(({ packetBytes }) => packetBytes !== undefined);
    expect(order?.packetBytes).toBe(9000);
    scene.watch.tooLarge(2, order?.nonce ?? "", scene.nowMs);
    expect(scene.run(40_000).view(2)?.pathMtuBytes).toBe(1500);
  });
});

test("answers count once, and only those to what was asked", () => {
  const scene = new Scene([2, 3]);
  const [order] = scene.watch.due(scene.nowMs);
  const nonce = order?.nonce ?? "";
  expect(scene.watch.answered(3, nonce, scene.nowMs)).toBe(false);
  expect(scene.watch.answered(9, nonce, scene.nowMs)).toBe(false);
  expect(scene.watch.answered(2, "f".repeat(16), scene.nowMs)).toBe(false);
  expect(scene.watch.answered(2, nonce, scene.nowMs + 2)).toBe(true);
  expect(scene.watch.answered(2, nonce, scene.nowMs + 3)).toBe(false);
  expect(scene.view(2)?.rttLastMicros).toBe(2_000);
});

test("peers come and go; what is known of those that stay is kept, unless they are forgotten", () => {
  const scene = new Scene([2, 3]).run(5_000);
  scene.watch.setPeers([3, 4], { linkMtuBytes: 1500, nowMs: scene.nowMs });
  expect(scene.watch.views().map(({ number, state }) => [number, state])).toEqual([[3, "up"], [4, "unknown"]]); // prettier-ignore
  scene.watch.forget(3);
  scene.watch.setPeers([3, 4], { linkMtuBytes: 1500, nowMs: scene.nowMs });
  expect(scene.state(3)).toBe("unknown");
});
