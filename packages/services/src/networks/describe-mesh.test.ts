import { observedNetwork, type ObservedPeers, type PeerReport } from "@flotilla/protocol";
import { describe, expect, test } from "vitest";
import { describeMesh, type LiveHostState } from "./describe-mesh.ts";
import type { OverlayHostRow, OverlayNetworkRow, OverlayRows } from "./overlay-rows.ts";

const ID = "a".repeat(64);
const host = (number: number, address = `10.9.0.${number}`): OverlayHostRow => ({
  id: `host-${number}`,
  name: `h${number}`,
  number,
  downSince: null,
  underlay: { address, mtuBytes: 1500, routes: [], probePort: 7421, encryption: "none", encryptionLack: null, tunnels: [] },
});
const peer = (number: number, change: Partial<PeerReport> = {}): PeerReport => ({
  number,
  state: "up",
  rttP50Micros: 400,
  rttLastMicros: 500,
  lossPerMille: 0,
  pathMtuBytes: 1500,
  ...change,
});
const sees = (...peers: PeerReport[]): ObservedPeers => ({ linkMtuBytes: 1500, peers });
const network = { id: ID, name: "web", subnet: "10.64.0.0/20" } as OverlayNetworkRow;
const said = (mtuBytes: number, members = 1, problem: string | null = null) =>
  observedNetwork.parse({
    mtuBytes,
    problem,
    endpoints: Array.from({ length: members }, () => ({ id: "e", containerId: "c", containerName: "c", address: "10.64.0.17", address6: null, macAddress: "", aliases: [] })), // prettier-ignore
  });
const rows = (change: Partial<OverlayRows> = {}): OverlayRows => ({
  networks: [network],
  hosts: [host(1), host(2)],
  observed: new Map([[ID, new Map([["host-1", said(1450)], ["host-2", said(1450)]])]]), // prettier-ignore
  peers: new Map([["host-1", sees(peer(2))], ["host-2", sees(peer(1))]]), // prettier-ignore
  ...change,
});
const online: LiveHostState = { standing: "up", isOnline: true };
const mesh = (given: OverlayRows, live: Record<string, LiveHostState> = { "host-1": online, "host-2": online }) =>
  describeMesh(given, new Map(Object.entries(live)));

test("every host sees the others, each way apart", () => {
  const found = mesh(rows());
  expect(found.hosts).toMatchObject([{ id: "host-1", standing: "up", address: "10.9.0.1", isProbed: true }, { id: "host-2" }]);
  expect(found.pairs).toMatchObject([
    { from: "host-1", to: "host-2", state: "up", isStale: false, isNarrow: false, isShut: false, rttP50Micros: 400 },
    { from: "host-2", to: "host-1" },
  ]);
  expect(found).toMatchObject({ mtuProblems: [], networks: [{ name: "web", hasProblem: false, hosts: [{ id: "host-1", members: 1 }, { id: "host-2" }] }] }); // prettier-ignore
});

describe("what is not so well", () => {
  test("what a host said that is away is stale", () => {
    const found = mesh(rows(), { "host-1": online, "host-2": { standing: "down", isOnline: false } });
    expect(found.pairs.map(({ isStale }) => isStale)).toEqual([false, true]);
    expect(found.hosts[1]).toMatchObject({ standing: "down", isOnline: false });
  });

  test("a port of VXLAN that alone gets no answers is shut, one that nobody asks is not", () => {
    const isShut = (change: Partial<PeerReport>): boolean | undefined =>
      mesh(rows({ peers: new Map([["host-1", sees(peer(2, change))]]) })).pairs[0]?.isShut;
    expect([isShut({ envelope: "down" }), isShut({ envelope: "up" }), isShut({}), isShut({ state: "down", envelope: "down" })]).toEqual([true, false, false, false]); // prettier-ignore
  });

  test("a peer that is no host of ours is left out", () =>
    expect(mesh(rows({ peers: new Map([["host-1", sees(peer(9), peer(1))]]) })).pairs).toEqual([]));

  test("a hop that carries less than both links is narrow, one that carries less than one of them is not", () => {
    const narrow = (linkMtuBytes: number, pathMtuBytes: number | null): boolean | undefined => {
      const far = host(1);
      if (far.underlay !== null) far.underlay = { ...far.underlay, mtuBytes: linkMtuBytes };
      return mesh(rows({ hosts: [far, host(2)], peers: new Map([["host-1", sees(peer(2, { pathMtuBytes }))]]) })).pairs[0]?.isNarrow;
    };
    expect([narrow(1500, 1400), narrow(9000, 1500), narrow(9000, 1400), narrow(1500, null)]).toEqual([true, false, true, false]);
  });

  const tooNarrow = new Map([["host-1", sees(peer(2, { pathMtuBytes: 1400 }))]]);

  test("a network whose packets do not fit is named, with what they need", () => {
    const found = mesh(rows({ peers: tooNarrow }));
    expect(found.mtuProblems).toEqual([
      { networkId: ID, network: "web", from: "host-1", to: "host-2", needsBytes: 1500, pathMtuBytes: 1400 },
    ]);
    expect(found.networks[0]?.hasProblem).toBe(true);
  });

  test("IPv6 needs twenty bytes more", () => {
    const hosts = [host(1, "fd00::1"), host(2, "fd00::2")];
    expect(mesh(rows({ hosts, peers: tooNarrow })).mtuProblems).toMatchObject([{ needsBytes: 1520 }]);
  });

  test("an encrypted network needs what WireGuard adds, around VXLAN between IPv6 addresses", () => {
    const networks = rows().networks.map((network) => ({ ...network, options: { encrypted: "" } }));
    expect(mesh(rows({ networks, peers: tooNarrow })).mtuProblems).toMatchObject([{ needsBytes: 1580 }]);
  });

  test.each<[string, Partial<OverlayRows>]>([
    ["smaller packets", { observed: new Map([[ID, new Map([["host-1", said(1350)], ["host-2", said(1350)]])]]) }], // prettier-ignore
    ["no member on the other host", { observed: new Map([[ID, new Map([["host-1", said(1450)], ["host-2", said(1450, 0)]])]]) }], // prettier-ignore
    ["a path that is not measured yet", { peers: new Map([["host-1", sees(peer(2, { pathMtuBytes: null }))]]) }],
  ])("%s are no such problem", (_what, change) => {
    expect(mesh(rows({ peers: tooNarrow, ...change })).mtuProblems).toEqual([]);
  });

  test("what a host says of the network itself counts too", () => {
    const found = mesh(rows({ observed: new Map([[ID, new Map([["host-1", said(0, 1, "VNI 4097 is taken")]])]]) }));
    expect(found.networks[0]?.hasProblem).toBe(true);
  });
});
