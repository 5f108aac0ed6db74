import { sampleService } from "@flotilla/protocol/sample-network";
import { describe, expect, test } from "vitest";
import { sampleInput, sampleState } from "./fixture.ts";
import {
  diffEntries,
  planFacts,
  planNetworkEntries,
  planServiceKeys,
  planTargetKeys,
  THROUGH_STACK,
  type Entries,
} from "./shortcut-plan.ts";

const SUBJECTS = ["address", "target", "host", "block"];
/** `address 10.30.1.18 -> 7 02:42:…`; link 0 is the network stack. */
const textOf = (entries: Entries): string[] =>
  [...entries].map(([key, value]) => {
    const [k, v] = [Buffer.from(key, "latin1"), Buffer.from(value, "latin1")];
    const subject = SUBJECTS[k.readUInt8(7)] ?? "?";
    const detail = subject === "target" ? `:${k.readUInt16BE(4)}/${k.readUInt8(6)}` : subject === "block" ? `/${k.readUInt8(6)}` : "";
    const link = v.readUInt32LE(0);
    return `${subject} ${k.subarray(0, 4).join(".")}${detail} -> ${link === 0 ? "stack" : `${link} ${v.toString("hex", 4, 10)}`}`;
  });
const keysOf = (keys: readonly string[]): string[] => textOf(new Map(keys.map((key) => [key, THROUGH_STACK])));
const links = new Map([["c1", 7]]);
const network = (change: Parameters<typeof sampleState>[0] = {}): string[] =>
  textOf(planNetworkEntries(sampleInput({ state: sampleState(change) }), { vxlan: 3, links }));

describe("the table of a network", () => {
  test("has hosts, their blocks, and the containers whose links are there", () => {
    expect(network()).toEqual([
      "host 0.0.0.2 -> 3 02f100000002",
      "host 0.0.0.3 -> 3 02f100000003",
      "block 10.30.1.32/28 -> 3 02f100000002",
      "block 10.30.1.48/28 -> 3 02f100000003",
      "address 10.30.1.18 -> 7 02420a1e0112",
    ]);
    expect(textOf(planNetworkEntries(sampleInput(), { vxlan: 3, links: new Map() })).join()).not.toContain("10.30.1.18");
  });

  test("sends pinned addresses to their hosts, this one's own to nobody", () => {
    const pinned = network({
      pins: [
        { host: 3, address: "10.30.1.200" },
        { host: 1, address: "10.30.1.201" },
        { host: 2, address: "fd30:1::1" },
      ],
    });
    expect(pinned.filter((line) => line.startsWith("address"))).toEqual([
      "address 10.30.1.200 -> 3 02f100000003",
      "address 10.30.1.18 -> 7 02420a1e0112",
    ]);
  });

  test("leaves the dead and the isolated to the stack, whatever else they are", () => {
    const guarded = network({ dead: ["10.30.1.40", "fd30:1::a1e:128"], isolated: ["10.30.1.18"] });
    expect(guarded).toContain("address 10.30.1.40 -> stack");
    expect(guarded).toContain("address 10.30.1.18 -> stack");
    expect(guarded.length).toBe(6);
  });

  test("has nothing of a host that an encrypted network's packets cannot be sent to", () => {
    const tunnels = [{ slot: 0, port: 51_871, publicKey: `${"A".repeat(43)}=` }];
    const hosts = sampleState().hosts.map((host) => (host.number === 3 ? host : { ...host, tunnels }));
    const encrypted = network({ isEncrypted: true, hosts });
    expect(encrypted.filter((line) => line.startsWith("host"))).toEqual(["host 0.0.0.2 -> 3 02f100000002"]);
    expect(encrypted.join()).not.toContain("10.30.1.48");
  });
});

describe("the program", () => {
  test("knows the subnet and the lengths of its blocks, the longest first", () => {
    const blocks = [
      { host: 2, cidr: "10.30.1.32/28" },
      { host: 3, cidr: "10.30.1.64/26" },
      { host: 2, cidr: "10.30.1.128/28" },
    ];
    expect(planFacts(sampleInput({ state: sampleState({ blocks }) }), 1450, 3)).toEqual({
      subnet: { address: 0x0a1e_0100, mask: 0xffff_ff00 },
      blockLengths: [28, 26],
      mtuBytes: 1450,
      vxlan: { index: 3, mac: "02:f1:00:00:00:01" },
      gatewayMac: "02:ee:ee:ee:ee:ee",
    });
  });
});

describe("a service", () => {
  test("takes its addresses and its replicas' ports out, those that drain too", () => {
    const backends = [
      { address: "10.30.1.18", weight: 1 },
      { address: "10.30.1.34", weight: 0 },
      { address: "fd30:1::a1e:112", weight: 1 },
    ];
    const ports = [
      { protocol: "tcp" as const, port: 80, targetPort: 8080, publishedPort: null },
      { protocol: "udp" as const, port: 53, targetPort: 5353, publishedPort: null },
    ];
    const { addresses, targets } = planServiceKeys(sampleService({ backends, ports }));
    expect(keysOf(addresses)).toEqual(["address 10.30.1.2 -> stack"]);
    expect(keysOf(targets)).toEqual([
      "target 10.30.1.18:8080/6 -> stack",
      "target 10.30.1.18:5353/17 -> stack",
      "target 10.30.1.34:8080/6 -> stack",
      "target 10.30.1.34:5353/17 -> stack",
    ]);
  });

  test("and flows that are there give the same keys", () => {
    const { targets } = planServiceKeys(sampleService());
    expect(planTargetKeys([{ address: "10.30.1.18", protocol: "tcp", port: 8080 }])).toEqual(targets.slice(0, 1));
  });
});

test("the difference of two tables is what is gone, and what came or changed", () => {
  const before = new Map([["a", "1"], ["b", "1"], ["c", "1"]]); // prettier-ignore
  const after = new Map([["b", "1"], ["c", "2"], ["d", "1"]]); // prettier-ignore
  expect(diffEntries(before, after)).toEqual({ gone: ["a"], come: new Map([["c", "2"], ["d", "1"]]) }); // prettier-ignore
});
