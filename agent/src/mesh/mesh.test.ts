import { silentLogger } from "@flotilla/core";
import { makeResource, type MeshPeer, type MeshState, type ResourceBody } from "@flotilla/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ProbeSocketOptions } from "../host/probe-socket.ts";
import { Mesh } from "./mesh.ts";
import { encodeProbe, PROBE_BYTES } from "./probe-message.ts";

const keyOf = (a: number, b: number): string => Buffer.alloc(32, Math.min(a, b) * 16 + Math.max(a, b)).toString("base64url");
const addressOf = (number: number): string => `10.9.0.${number}`;
const peer = (self: number, number: number, change: Partial<MeshPeer> = {}): MeshPeer => ({
  number,
  address: addressOf(number),
  port: 7421,
  key: keyOf(self, number),
  ...change,
});

type Datagram = { datagram: Buffer; from: string; to: string; port: number };

/** Hosts on a switch that a test may cut; everything that is sent is kept. */
class Switch {
  readonly sent: Datagram[] = [];
  readonly cuts = new Set<string>();
  /** Ports that a firewall keeps away. */
  readonly shut = new Set<string>();
  readonly #ends = new Map<string, ProbeSocketOptions["onDatagram"]>();

  readonly open = async ({ address, preferredPort, onDatagram }: ProbeSocketOptions) => {
    if (address === "10.9.0.99") throw new Error("EADDRNOTAVAIL");
    this.#ends.set(address, onDatagram);
    return {
      port: preferredPort,
      send: (bytes: Uint8Array, to: { address: string; port: number }, onTooLarge?: () => void) => {
        const datagram = Buffer.from(bytes);
        if (datagram.length > 9000 - 28) onTooLarge?.();
        else this.deliver({ datagram, from: address, to: to.address, port: to.port });
      },
      close: () => void this.#ends.delete(address),
    };
  };

  deliver(packet: Datagram): void {
    this.sent.push(packet);
    if (this.cuts.has(`${packet.from} ${packet.to}`) || this.shut.has(`${packet.to} ${packet.port}`)) return;
    this.#ends.get(packet.to)?.(packet.datagram, { address: packet.from, port: packet.port });
  }
}

let net: Switch;
let meshes: Mesh[];

/** @returns what the host observes, newest last, and who it did not reach, likewise. */
async function host(number: number, peers: readonly MeshPeer[]) {
  const observed: (ResourceBody | undefined)[] = [];
  const reach: number[][] = [];
  const mesh = new Mesh({
    observed: { set: (_key, body) => void observed.push(body), remove: () => void observed.push(undefined) },
    logger: silentLogger,
    openSocket: net.open,
    takeEnvelopes: async () => 4789,
    nowMs: () => Date.now(),
    onReach: (unreachable) => void reach.push([...unreachable]),
  });
  meshes.push(mesh);
  const apply = (state: MeshState | undefined) => mesh.apply(state === undefined ? [] : [makeResource("mesh", state)]);
  await apply({ self: number, peers: [...peers] });
  expect(await mesh.listen({ address: addressOf(number), linkMtuBytes: 1500 })).toEqual({ probePort: 7421, envelopePort: 4789 });
  return { mesh, observed, reach, apply };
}

beforeEach(() => {
  vi.useFakeTimers();
  net = new Switch();
  meshes = [];
});
afterEach(() => {
  for (const mesh of meshes) mesh.close();
  vi.useRealTimers();
});

describe("two hosts", () => {
  test("find each other and tell once what they found", async () => {
    const a = await host(1, [peer(1, 2)]);
    const b = await host(2, [peer(2, 1)]);
    vi.advanceTimersByTime(60_000);
    const found = { state: "up", lossPerMille: 0, pathMtuBytes: 1500 };
    expect(a.observed.at(-1)).toMatchObject({ linkMtuBytes: 1500, peers: [{ number: 2, ...found }] });
    expect(b.observed.at(-1)).toMatchObject({ peers: [{ number: 1, ...found }] });
    expect(a.observed.length).toBeLessThanOrEqual(4);
    expect(a.reach).toEqual([]);
  });

  test.each([
    ["both ways", ["10.9.0.1 10.9.0.2", "10.9.0.2 10.9.0.1"]],
    ["one way", ["10.9.0.1 10.9.0.2"]],
    ["the other way", ["10.9.0.2 10.9.0.1"]],
  ])("cut %s, neither reaches the other, until it heals", async (_what, cuts) => {
    const a = await host(1, [peer(1, 2)]);
    const b = await host(2, [peer(2, 1)]);
    vi.advanceTimersByTime(5_000);
    for (const cut of cuts) net.cuts.add(cut);
    vi.advanceTimersByTime(5_000);
    expect([a.reach, b.reach]).toEqual([[[2]], [[1]]]);
    expect(a.observed.at(-1)).toMatchObject({ peers: [{ state: "down" }] });
    net.cuts.clear();
    vi.advanceTimersByTime(2_500);
    expect([a.reach.at(-1), b.reach.at(-1)]).toEqual([[], []]);
  });

  test("a port of VXLAN that alone is shut is told, and is no reason to leave anything out", async () => {
    const a = await host(1, [peer(1, 2, { envelopePort: 4789 })]);
    const b = await host(2, [peer(2, 1)]);
    vi.advanceTimersByTime(5_000);
    expect(a.observed.at(-1)).toMatchObject({ peers: [{ state: "up", envelope: "up" }] });
    net.shut.add("10.9.0.2 4789");
    vi.advanceTimersByTime(15_000);
    expect(a.observed.at(-1)).toMatchObject({ peers: [{ state: "up", envelope: "down" }] });
    expect(a.reach).toEqual([]);
    net.shut.clear();
    vi.advanceTimersByTime(3_000);
    expect(a.observed.at(-1)).toMatchObject({ peers: [{ state: "up", envelope: "up" }] });
    // Who is not told that its peer answers there does not ask.
    expect(JSON.stringify(b.observed)).not.toContain("envelope");
  });

  test("a link that refuses a size is told by the sender itself", async () => {
    const a = await host(1, [peer(1, 2)]);
    await host(2, [peer(2, 1)]);
    await a.mesh.listen({ address: addressOf(1), linkMtuBytes: 65_535 });
    vi.advanceTimersByTime(20_000);
    expect(a.observed.at(-1)).toMatchObject({ linkMtuBytes: 65_535, peers: [{ pathMtuBytes: 9000 }] });
  });
});

describe("an answer", () => {
  const question = (change: { sender?: number; receiver?: number; key?: string } = {}, bytes = PROBE_BYTES): Buffer => {
    const { sender = 2, receiver = 1, key = keyOf(1, 2) } = change;
    return encodeProbe({ kind: "question", sender, receiver, nonce: "00112233445566ff" }, Buffer.from(key, "base64url"), bytes);
  };
  const answersTo = async (datagram: Buffer, from = addressOf(2)): Promise<Datagram[]> => {
    await host(1, [peer(1, 2), peer(1, 3)]);
    net.deliver({ datagram, from, to: addressOf(1), port: 5_000 });
    return net.sent.slice(1);
  };

  test("goes to the address and port of desired state, and is never longer than the question", async () => {
    const [answer, ...more] = await answersTo(question({}, 1472));
    expect(more).toEqual([]);
    expect(answer).toMatchObject({ to: addressOf(2), port: 7421 });
    expect(answer?.datagram).toHaveLength(PROBE_BYTES);
  });

  test.each<[string, Buffer, string?]>([
    ["somebody at another address", question(), "10.9.0.77"],
    ["a host by another pair's key", question({ key: keyOf(1, 3) })],
    ["a host that is no peer", question({ sender: 4, key: keyOf(1, 4) }), addressOf(4)],
    ["a question to another host", question({ receiver: 3 })],
    ["noise", Buffer.alloc(100, 7)],
    ["nothing", Buffer.alloc(0)],
  ])("is not given to %s", async (_what, datagram, from) => expect(await answersTo(datagram, from)).toEqual([]));

  test("that nobody asked for, or that was heard before, changes nothing", async () => {
    const a = await host(1, [peer(1, 2)]);
    vi.advanceTimersByTime(5_000);
    const asked = net.sent.at(-1)?.datagram.toString("hex", 16, 24) ?? "";
    const answer = encodeProbe(
      { kind: "answer", sender: 2, receiver: 1, nonce: "ffffffffffffffff" },
      Buffer.from(keyOf(1, 2), "base64url"),
    );
    net.deliver({ datagram: answer, from: addressOf(2), to: addressOf(1), port: 1 });
    expect(asked).not.toBe("ffffffffffffffff");
    expect(a.observed.at(-1)).toMatchObject({ peers: [{ number: 2, state: "down", rttLastMicros: null }] });
  });
});

describe("without", () => {
  test("peers nothing is sent, and nothing told any more", async () => {
    const a = await host(1, [peer(1, 2)]);
    vi.advanceTimersByTime(2_000);
    await a.apply(undefined);
    expect(a.observed.at(-1)).toBeUndefined();
    net.sent.length = 0;
    vi.advanceTimersByTime(10_000);
    expect(net.sent).toEqual([]);
  });

  test("a readable list the peers stay as they were", async () => {
    const a = await host(1, [peer(1, 2)]);
    expect(await a.mesh.apply([makeResource("mesh", { self: 1, peers: [{ number: 2 }] })])).toMatchObject([{ key: "mesh" }]);
    net.sent.length = 0;
    vi.advanceTimersByTime(2_000);
    expect(net.sent.length).toBeGreaterThan(0);
  });

  test("an address of its own it listens nowhere, and tries again", async () => {
    const a = await host(1, [peer(1, 2)]);
    expect(await a.mesh.listen({ address: "10.9.0.99", linkMtuBytes: 1500 })).toEqual({ probePort: null });
    net.sent.length = 0;
    vi.advanceTimersByTime(10_000);
    expect(net.sent).toEqual([]);
    expect(a.reach).toEqual([]);
    expect(await a.mesh.listen({ address: addressOf(1), linkMtuBytes: 1500 })).toEqual({ probePort: 7421, envelopePort: 4789 });
    vi.advanceTimersByTime(1_000);
    expect(net.sent.length).toBeGreaterThan(0);
  });
});

test("a peer at another address is learned anew", async () => {
  const a = await host(1, [peer(1, 2)]);
  await host(2, [peer(2, 1)]);
  vi.advanceTimersByTime(5_000);
  await a.apply({ self: 1, peers: [peer(1, 2, { address: "10.9.0.44" })] });
  expect(a.observed.at(-1)).toMatchObject({ peers: [{ number: 2, state: "unknown", pathMtuBytes: null }] });
});
