import { describe, expect, test } from "vitest";
import { detailOverlay } from "./describe-overlay.ts";
import type { OverlayHostRow, OverlayRows } from "./overlay-rows.ts";
import { NETWORK_ID, sampleHost, sampleLease, sampleObserved, sampleOverlay } from "./sample-rows.ts";

const host = (number: number, more: Partial<OverlayHostRow> = {}): OverlayHostRow => sampleHost(number, `10.9.0.${number}`, more);
const network = sampleOverlay({
  subnet: "10.64.0.0/24",
  leases: [
    sampleLease("reserved", { hostId: null, cidr: "10.64.0.0/28" }),
    sampleLease("block", { hostId: "host-1", cidr: "10.64.0.16/28" }),
    sampleLease("block", { hostId: "host-1", cidr: "10.64.0.32/28" }, new Date(0)),
    sampleLease("pin", { hostId: "host-1", cidr: "10.64.0.200" }),
    sampleLease("block", { hostId: "host-2", cidr: "10.64.0.48/28" }),
  ],
});
const said = (mtuBytes: number, addresses: string[], problem: string | null = null) =>
  sampleObserved(Object.fromEntries(addresses.map((address) => [`web-${address}`, address])), { mtuBytes, problem });

function detail(hosts: OverlayHostRow[], observed: Record<string, ReturnType<typeof said>> = {}, peers: OverlayRows["peers"] = new Map()) {
  const rows: OverlayRows = { networks: [network], hosts, observed: new Map([[NETWORK_ID, new Map(Object.entries(observed))]]), peers };
  return detailOverlay(network, rows);
}

test("the use of the pool, of each block, and the smallest MTU", () => {
  const found = detail([host(1), host(2)], {
    "host-1": said(8950, ["10.64.0.18", "10.64.0.17", "10.64.0.200"]),
    "host-2": said(1450, ["10.64.0.49"]),
  });
  expect(found).toMatchObject({ members: 4, smallestMtuBytes: 1450, pool: { leased: 3, total: 15 }, problems: 0 });
  expect(found.hosts[0]?.blocks).toEqual([
    { cidr: "10.64.0.16/28", used: 2, size: 16, isResting: false },
    { cidr: "10.64.0.32/28", used: 0, size: 16, isResting: true },
    { cidr: "10.64.0.200", used: 1, size: 1, isResting: false },
  ]);
  expect(found.memberRows.map(({ host: at, address }) => `${at.name} ${address}`)).toEqual([
    "h1 10.64.0.17",
    "h1 10.64.0.18",
    "h1 10.64.0.200",
    "h2 10.64.0.49",
  ]);
});

describe("problems", () => {
  const problems = (hosts: OverlayHostRow[], observed = {}) => {
    const found = detail(hosts, observed);
    return { codes: found.hosts.map((each) => each.problems.map(({ code }) => code).join()), count: found.problems };
  };

  test("none", () => expect(problems([host(1)], { "host-1": said(1450, []) })).toEqual({ codes: [""], count: 0 }));
  test("a host that is away is no fault of the network", () => expect(problems([host(1, { downSince: new Date() })])).toEqual({ codes: ["offline"], count: 0 })); // prettier-ignore
  test("a host that says nothing of it yet is waited for", () => expect(problems([host(1)])).toEqual({ codes: ["silent"], count: 0 }));
  test("no underlay, no block", () => expect(problems([host(3, { underlay: null })])).toEqual({ codes: ["noUnderlay,noBlock"], count: 1 }));
  test("two hosts with one address: the later one is told", () => {
    const twin = host(2, { underlay: host(1).underlay });
    expect(problems([host(1), twin], { "host-1": said(1450, []), "host-2": said(1450, []) })).toEqual({
      codes: ["", "sameAddress"],
      count: 1,
    });
  });
  test("packets that do not fit on the way to another host with members", () => {
    const report = { number: 2, state: "up", rttP50Micros: 1, rttLastMicros: 1, lossPerMille: 0, pathMtuBytes: 1400 } as const;
    const peers: OverlayRows["peers"] = new Map([["host-1", { linkMtuBytes: 1500, peers: [report] }]]);
    const found = detail([host(1), host(2)], { "host-1": said(1450, ["10.64.0.17"]), "host-2": said(1450, ["10.64.0.49"]) }, peers);
    expect(found.hosts.map(({ problems: each }) => each)).toEqual([[{ code: "pathMtu", host: "h2", needsBytes: 1500, pathMtuBytes: 1400 }], []]); // prettier-ignore
    expect(found.problems).toBe(1);
  });
  test("what the host says itself", () => {
    expect(detail([host(1)], { "host-1": said(0, [], "VNI 4097 is taken") }).hosts[0]).toMatchObject({
      mtuBytes: null,
      problems: [{ code: "reported", message: "VNI 4097 is taken" }],
    });
  });
});

test("an encrypted network says by what each host encrypts, and which cannot", () => {
  const secret = { ...network, options: { encrypted: "" } };
  const able = (encryption: "kernel" | "none") => ({ underlay: { address: `10.9.0.${encryption === "none" ? 2 : 1}`, mtuBytes: 1500, routes: [], probePort: null, encryption, encryptionLack: null, tunnels: [] } }); // prettier-ignore
  const hosts = [host(1, able("kernel")), host(2, able("none"))];
  const found = detailOverlay(secret, { networks: [secret], hosts, observed: new Map(), peers: new Map() });
  expect(found).toMatchObject({ isEncrypted: true, problems: 1, hosts: [{ encryption: "kernel" }, { encryption: "none" }] });
  expect(found.hosts[1]?.problems).toEqual([{ code: "noEncryption" }]);
  expect(detailOverlay(network, { networks: [network], hosts, observed: new Map(), peers: new Map() })).toMatchObject({
    isEncrypted: false,
    problems: 0,
  });
});
