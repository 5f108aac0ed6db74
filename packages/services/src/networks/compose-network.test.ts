import { findContradiction, makeResource, networkState } from "@flotilla/protocol";
import { describe, expect, test } from "vitest";
import { composeNetworks } from "./compose-network.ts";
import type { OverlayNetworkRow, OverlayRows } from "./overlay-rows.ts";
import { NETWORK_ID, sampleHost, sampleLease, sampleObserved, sampleOverlay } from "./sample-rows.ts";

const lease = (kind: "block" | "pin" | "reserved", hostId: string | null, cidr: string, releasedAt: Date | null = null) =>
  sampleLease(kind, { hostId, cidr }, releasedAt);
const network = (more: Partial<OverlayNetworkRow> = {}): OverlayNetworkRow =>
  sampleOverlay({
    leases: [
      lease("reserved", null, "10.64.0.0/28"),
      lease("block", "host-2", "10.64.0.32/28"),
      lease("block", "host-1", "10.64.0.16/28"),
      lease("block", "host-1", "10.64.0.48/28", new Date(1)),
      lease("pin", "host-2", "10.64.9.9/32"),
    ],
    ...more,
  });
const rows = (more: Partial<OverlayRows> = {}): OverlayRows => ({
  networks: [network()],
  hosts: [sampleHost(1, "10.9.0.1"), sampleHost(2, "10.9.0.2")],
  observed: new Map([
    [
      NETWORK_ID,
      new Map([
        ["host-1", sampleObserved({ api: "10.64.0.17" })],
        ["host-2", sampleObserved({ b: "10.64.0.34", a: "10.64.0.33" })],
      ]),
    ],
  ]),
  peers: new Map(),
  ...more,
});
const compose = (given: OverlayRows, hostId = "host-1") => composeNetworks(given, { hostId, namespace: "default" })[0];

describe("what a host is told of a network", () => {
  test("is what its schema knows, without contradiction", () => {
    const state = compose(rows());
    expect(networkState.parse(state)).toEqual(state);
    expect(state === undefined ? "none" : findContradiction(state)).toBeUndefined();
    expect(state).toMatchObject({ self: 1, vni: 4097, namespace: "default", labels: { tier: "web" }, createdAtMs: 5 });
  });

  test("blocks and pins by host number, without what is reserved or given back", () => {
    expect(compose(rows())).toMatchObject({
      blocks: [
        { host: 1, cidr: "10.64.0.16/28" },
        { host: 2, cidr: "10.64.0.32/28" },
      ],
      pins: [{ host: 2, address: "10.64.9.9" }],
    });
  });

  test("members are the endpoints of the others, by address", () => {
    expect(compose(rows())?.members.map(({ host: number, containerName, address }) => [number, containerName, address])).toEqual([
      [2, "a", "10.64.0.33"],
      [2, "b", "10.64.0.34"],
    ]);
    expect(compose(rows(), "host-2")?.members).toMatchObject([{ host: 1, containerName: "api", aliases: ["api-alias"] }]);
  });

  test("what a host that counts as down had is told apart, but for what somebody has again", () => {
    const second = { ...sampleHost(2, "10.9.0.2"), downSince: new Date(7) };
    expect(compose(rows())?.down).toEqual([]);
    const state = compose(rows({ hosts: [sampleHost(1, "10.9.0.1"), second] }));
    expect(state).toMatchObject({ members: [], down: [{ host: 2, addresses: ["10.64.0.33", "10.64.0.34"] }] });
    const moved = new Map([
      ["host-1", sampleObserved({ api: "10.64.0.33" })],
      ["host-2", sampleObserved({ a: "10.64.0.33", b: "10.64.0.34" })],
    ]);
    const observed = new Map([[NETWORK_ID, moved]]);
    expect(compose(rows({ hosts: [sampleHost(1, "10.9.0.1"), second], observed }))?.down).toEqual([{ host: 2, addresses: ["10.64.0.34"] }]);
    expect(compose(rows({ hosts: [sampleHost(1, "10.9.0.1"), second] }), "host-2")?.down).toEqual([]);
  });

  test("equal rows give equal bytes, whatever their order", () => {
    const shuffled = rows({
      networks: [network({ leases: network().leases.toReversed() })],
      hosts: rows().hosts.toReversed(),
      observed: new Map([
        [
          NETWORK_ID,
          new Map([
            ["host-2", sampleObserved({ a: "10.64.0.33", b: "10.64.0.34" })],
            ["host-1", sampleObserved({})],
          ]),
        ],
      ]),
    });
    const revision = (given: OverlayRows): string => makeResource(`network/${NETWORK_ID}`, compose(given) ?? {}).revision;
    expect(revision(shuffled)).toBe(revision(rows()));
  });
});

describe("hosts that are not as they should be", () => {
  test("one that is down leaves the members and keeps its place and blocks", () => {
    const state = compose(rows({ hosts: [sampleHost(1, "10.9.0.1"), sampleHost(2, "10.9.0.2", { downSince: new Date() })] }));
    expect(state?.members).toEqual([]);
    expect(state?.hosts).toHaveLength(2);
    expect(state?.blocks).toHaveLength(2);
  });

  test("one without an underlay address is told nothing, and the others nothing of it", () => {
    const given = rows({ hosts: [sampleHost(1, "10.9.0.1"), sampleHost(2, null)] });
    expect(compose(given, "host-2")).toBeUndefined();
    expect(compose(given)).toMatchObject({ hosts: [{ number: 1 }], pins: [], members: [] });
  });

  test("of two with one address the others see the first, and the second itself", () => {
    const given = rows({ hosts: [sampleHost(1, "10.9.0.1"), sampleHost(2, "10.9.0.2"), sampleHost(3, "10.9.0.2")] });
    expect(compose(given)?.hosts.map(({ number }) => number)).toEqual([1, 2]);
    expect(compose(given, "host-3")?.hosts.map(({ number }) => number)).toEqual([1, 3]);
  });

  test("families do not mix", () => {
    const given = rows({ hosts: [sampleHost(1, "10.9.0.1"), sampleHost(2, "fd00::2"), sampleHost(3, "fd00::3")] });
    expect(compose(given)?.hosts.map(({ number }) => number)).toEqual([1]);
    expect(compose(given, "host-3")?.hosts.map(({ number }) => number)).toEqual([2, 3]);
  });

  test("one that is not of the team is told nothing", () => expect(compose(rows(), "stranger")).toBeUndefined());
});

test("an address that somebody has again is not dead", () => {
  const given = rows({ networks: [network({ tombstones: [{ address: "10.64.0.33" }, { address: "10.64.0.40" }] })] });
  expect(compose(given)?.dead).toEqual(["10.64.0.40"]);
});

test("of an encrypted network everybody's tunnels are told, of another none", () => {
  const tunnels = [{ slot: 0, port: 51_871, publicKey: `${"A".repeat(43)}=` }];
  const underlay = {
    address: "10.9.0.2",
    mtuBytes: 1500,
    routes: [],
    probePort: null,
    encryption: "kernel" as const,
    encryptionLack: null,
    tunnels,
  };
  const two = sampleHost(2, "10.9.0.2", { underlay });
  const of = (options: Record<string, string>) =>
    compose(rows({ networks: [network({ options })], hosts: [sampleHost(1, "10.9.0.1"), two] }));
  expect(of({ encrypted: "" })).toMatchObject({ isEncrypted: true, hosts: [{ tunnels: [] }, { tunnels }] });
  expect(of({})).toMatchObject({ isEncrypted: false, hosts: [{ tunnels: [] }, { tunnels: [] }] });
});
