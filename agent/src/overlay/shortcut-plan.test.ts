import { sampleService } from "@flotilla/protocol/sample-network";
import { describe, expect, test } from "vitest";
import { sampleInput, sampleState } from "./fixture.ts";
import {
  type Entries,
  placeKeys,
  planFacts,
  planGuarded,
  planLocalPlaces,
  planRemotePlaces,
  planServiceKeys,
  planShape,
  planTargets,
  roomFor,
  withTargets,
} from "./shortcut-plan.ts";
import { maskOf } from "./shortcut-program.ts";

const offsetOf = (key: string): number => Buffer.from(key, "latin1").readUInt32LE(0);
/** `18 -> 7 02420a1e0112 flags 0`: the distance from the subnet's first address. */
const textOf = (entries: Entries): string[] =>
  [...entries].map(([key, value]) => {
    const bytes = Buffer.from(value, "latin1");
    return `${offsetOf(key)} -> ${bytes.readUInt32LE(0)} ${bytes.toString("hex", 4, 10)} flags ${bytes.readUInt16LE(10)}`;
  });
const remote = (change: Parameters<typeof sampleState>[0] = {}): string[] => textOf(planRemotePlaces(sampleState(change), 3));
const block = (first: number, host: number): string[] =>
  Array.from({ length: 16 }, (_, index) => `${first + index} -> 3 02f10000000${host} flags 0`);
const links = new Map([["c1", 7]]);

describe("places at other hosts", () => {
  test("are all addresses of their blocks", () => {
    expect(remote()).toEqual([...block(32, 2), ...block(48, 3)]);
  });

  test("and what is pinned to them; what is pinned to this one, in whosever block, is nobody's", () => {
    const pinned = remote({
      pins: [
        { host: 3, address: "10.30.1.200" },
        { host: 3, address: "10.30.1.33" },
        { host: 1, address: "10.30.1.34" },
        { host: 2, address: "fd30:1::a1e:123" },
        { host: 2, address: "192.0.2.1" },
      ],
    });
    const [, , , ...rest] = block(32, 2);
    const changed = [...block(32, 2).slice(0, 1), "33 -> 3 02f100000003 flags 0", ...rest.slice(1), ...block(48, 3)];
    expect(pinned).toEqual([...changed.filter((line) => !line.startsWith("35 ")), "200 -> 3 02f100000003 flags 0"]);
  });

  test("are none at a host that an encrypted network's packets cannot be sent to", () => {
    const tunnels = [{ slot: 0, port: 51_871, publicKey: `${"A".repeat(43)}=` }];
    const hosts = sampleState().hosts.map((host) => (host.number === 3 ? host : { ...host, tunnels }));
    expect(remote({ isEncrypted: true, hosts })).toEqual(block(32, 2));
  });

  test("are not more than a table should have", () => {
    const blocks = [2, 3].map((host) => ({ host, cidr: `10.${host * 32}.0.0/11` }));
    expect(remote({ subnet: "10.0.0.0/8", blocks }).length).toBe(65_536);
  });
});

describe("places here", () => {
  test("are containers whose links are there", () => {
    expect(textOf(planLocalPlaces(sampleInput(), links))).toEqual(["18 -> 7 02420a1e0112 flags 0"]);
    expect(planLocalPlaces(sampleInput(), new Map())).toEqual(new Map());
  });

  test.each(["", "fd30:1::99"])("take no IPv6 when they have not the address that goes with theirs, but %j", (address6) => {
    const [endpoint] = sampleInput().endpoints;
    if (endpoint === undefined) throw new Error("no endpoint");
    const input = sampleInput({ endpoints: [{ ...endpoint, address6 }] });
    expect(textOf(planLocalPlaces(input, links))).toEqual(["18 -> 7 02420a1e0112 flags 2"]);
  });
});

test("the dead and the isolated of either family are the stack's", () => {
  const state = sampleState({ dead: ["10.30.1.40", "fd30:1::a1e:129", "192.0.2.7", "fd99::a1e:128"], isolated: ["10.30.1.18"] });
  expect([...planGuarded(state)].map(offsetOf)).toEqual([40, 41, 18]);
});

describe("the tables", () => {
  test("are an array of the subnet's size, or with room to grow where that is large", () => {
    expect(planShape(sampleState(), 33)).toMatchObject({ kind: "array", capacity: 256 });
    expect(planShape(sampleState({ subnet: "10.30.0.0/16" }), 33)).toMatchObject({ kind: "array", capacity: 65_536 });
    expect(planShape(sampleState({ subnet: "10.0.0.0/8" }), 33)).toMatchObject({ kind: "hash", capacity: 512 });
    expect([roomFor(0), roomFor(128), roomFor(129)]).toEqual([256, 512, 1_024]);
  });

  test("have keys that the program makes from addresses", () => {
    const state = sampleState({ subnet: "10.0.0.0/8" });
    expect(placeKeys(state, ["10.1.2.3"])).toEqual(["\x03\x02\x01\0"]);
    expect(placeKeys(state, ["11.1.2.3", "9.255.255.255"])).toEqual([]);
  });
});

test("the program knows the subnet, and what IPv6 addresses begin with", () => {
  expect(planFacts(sampleInput(), 1450, 3)).toEqual({
    subnet: { address: 0x0a1e_0100, mask: 0xffff_ff00 },
    prefix6: [0xfd30_0001, 0, 0],
    mtuBytes: 1450,
    vxlan: { index: 3, mac: "02:f1:00:00:00:01" },
    gatewayMac: "02:ee:ee:ee:ee:ee",
  });
  expect(planFacts(sampleInput({ state: sampleState({ subnet6: null }) }), 1450, 3).prefix6).toBeUndefined();
  expect([maskOf(0), maskOf(8), maskOf(32)]).toEqual([0, 0xff00_0000, 0xffff_ffff]);
});

describe("a service", () => {
  const keysOf = (targets: Entries): string[] =>
    [...targets].map(([key, place]) => {
      const bytes = Buffer.from(key, "latin1");
      return `${bytes.subarray(0, 4).join(".")}:${bytes.readUInt16BE(4)}/${bytes.readUInt16LE(6)} at ${offsetOf(place)}`;
    });

  test("takes its addresses and its replicas' ports out, those that drain too, and both families as one", () => {
    const backends = [
      { address: "10.30.1.18", weight: 1 },
      { address: "10.30.1.34", weight: 0 },
      { address: "fd30:1::a1e:112", weight: 1 },
      { address: "fd30:1::a1e:113", weight: 1 },
      { address: "fd99::1", weight: 1 },
    ];
    const ports = [
      { protocol: "tcp" as const, port: 80, targetPort: 8080, publishedPort: null },
      { protocol: "udp" as const, port: 53, targetPort: 5353, publishedPort: null },
    ];
    const service = sampleService({ addresses: ["10.30.1.2", "fd30:1::a1e:103", "10.31.0.1"], backends, ports });
    const { addresses, targets } = planServiceKeys(sampleState(), service);
    expect(addresses.map(offsetOf)).toEqual([2, 3]);
    expect(keysOf(targets)).toEqual([
      "10.30.1.18:8080/6 at 18",
      "10.30.1.18:5353/17 at 18",
      "10.30.1.34:8080/6 at 34",
      "10.30.1.34:5353/17 at 34",
      "10.30.1.19:8080/6 at 19",
      "10.30.1.19:5353/17 at 19",
    ]);
  });

  test("without IPv6 in the network has nothing of it", () => {
    const backends = [{ address: "fd30:1::a1e:112", weight: 1 }];
    expect(planServiceKeys(sampleState({ subnet6: null }), sampleService({ backends })).targets.size).toBe(0);
  });

  test("and flows that are there give the same keys", () => {
    const { targets } = planServiceKeys(sampleState(), sampleService({ backends: [{ address: "10.30.1.18", weight: 1 }] }));
    expect(planTargets(sampleState(), [{ address: "10.30.1.18", protocol: "tcp", port: 8080 }])).toEqual(targets);
  });
});

test("a place with targets says so, and is what it was otherwise", () => {
  const [before = ""] = planLocalPlaces(sampleInput(), links).values();
  const after = withTargets(before);
  expect(textOf(new Map([["\x12\0\0\0", after]]))).toEqual(["18 -> 7 02420a1e0112 flags 1"]);
  expect([withTargets(after), after.length]).toEqual([after, before.length]);
});
