import { randomBytes } from "node:crypto";
import { meshState } from "@flotilla/protocol";
import { describe, expect, test } from "vitest";
import { composeMesh } from "./compose-mesh.ts";
import type { OverlayHostRow } from "./overlay-rows.ts";

const host = (number: number, address: string | null, probePort: number | null = 7421): OverlayHostRow => ({
  id: `host-${number}`,
  name: `h${number}`,
  number,
  downSince: null,
  underlay:
    address === null ? null : { address, mtuBytes: 1500, routes: [], probePort, encryption: "none", encryptionLack: null, tunnels: [] },
});
const secret = randomBytes(32);
const compose = (hosts: readonly OverlayHostRow[], number: number, given = secret) =>
  composeMesh(hosts, { hostId: `host-${number}`, secret: given });
const peersOf = (hosts: readonly OverlayHostRow[], number: number): number[] | undefined =>
  compose(hosts, number)?.peers.map((peer) => peer.number);
const three = [host(1, "10.9.0.1"), host(2, "10.9.0.2", 40_000), host(3, "10.9.0.3")];

test("a host is told of the others, where they answer and by which key, in a form that it reads", () => {
  const state = compose(three, 1);
  expect(meshState.parse(state)).toEqual(state);
  expect(state).toMatchObject({
    self: 1,
    peers: [
      { number: 2, address: "10.9.0.2", port: 40_000 },
      { number: 3, address: "10.9.0.3", port: 7421 },
    ],
  });
});

test("and at which port of VXLAN, of those that answer there", () => {
  const [, second] = three;
  const open = { ...host(3, "10.9.0.3"), underlay: { ...(second?.underlay ?? { address: "", mtuBytes: 0, routes: [], probePort: null, encryption: "none", encryptionLack: null, tunnels: [] }), address: "10.9.0.3", envelopePort: 4789 } }; // prettier-ignore
  const state = compose([host(1, "10.9.0.1"), host(2, "10.9.0.2"), open], 1);
  expect(meshState.parse(state)).toEqual(state);
  expect(state?.peers.map((peer) => peer.envelopePort)).toEqual([undefined, 4789]);
});

describe("keys", () => {
  const key = (reader: number, peer: number, given = secret): string | undefined =>
    compose(three, reader, given)?.peers.find(({ number }) => number === peer)?.key;

  test("both ends of a pair have one, and the same each time", () => {
    expect(key(1, 2)).toBe(key(2, 1));
    expect(key(1, 2)).toBe(key(1, 2));
  });

  test("every pair has its own, and every control plane", () => {
    expect(new Set([key(1, 2), key(1, 3), key(2, 3), key(1, 2, randomBytes(32))]).size).toBe(4);
  });
});

describe("nobody's peer is", () => {
  test("a host alone", () => expect(compose([host(1, "10.9.0.1")], 1)).toBeUndefined());
  test("a host that does not answer probes, and it asks nobody", () => {
    const hosts = [host(1, "10.9.0.1"), host(2, "10.9.0.2", null), host(3, "10.9.0.3")];
    expect(peersOf(hosts, 1)).toEqual([3]);
    expect(compose(hosts, 2)).toBeUndefined();
  });
  test("a host that has not said where it is", () => {
    const hosts = [...three, host(4, null)];
    expect(peersOf(hosts, 1)).toEqual([2, 3]);
    expect(compose(hosts, 4)).toBeUndefined();
  });
  test("the second host of one address: the first keeps it", () => {
    const hosts = [...three, host(4, "10.9.0.2")];
    expect(peersOf(hosts, 1)).toEqual([2, 3]);
    expect(peersOf(hosts, 2)).toEqual([1, 3]);
    expect(compose(hosts, 4)).toBeUndefined();
  });
  test("a host of the other family", () => {
    const hosts = [...three, host(4, "fd00::4"), host(5, "fd00::5")];
    expect(peersOf(hosts, 1)).toEqual([2, 3]);
    expect(peersOf(hosts, 4)).toEqual([5]);
  });
  test("a host of another team", () => expect(compose(three, 9)).toBeUndefined());
});
