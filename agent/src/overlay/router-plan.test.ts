import { sampleService } from "@flotilla/protocol/sample-network";
import { describe, expect, test } from "vitest";
import { formatObject } from "../host/kernel-objects.ts";
import { nextHop, uplinkName, vtepMac } from "./names.ts";
import { planContainerObjects, planLink, type ContainerEnd } from "./endpoint-plan.ts";
import { sampleInput, sampleState } from "./fixture.ts";
import { largestMtu, nodeAddress, planMtu, planObjects } from "./router-plan.ts";

const textOf = (change: Parameters<typeof sampleInput>[0] = {}): string[] => planObjects(sampleInput(change)).map(formatObject);

describe("names", () => {
  test("of hosts are their numbers", () => {
    expect(vtepMac(2)).toBe("02:f1:00:00:00:02");
    expect(vtepMac(0x01020304)).toBe("02:f1:01:02:03:04");
    expect(nextHop(2)).toBe("fe80::2");
    expect(nextHop(0x01020304)).toBe("fe80::102:304");
  });

  test("of links fit into fifteen bytes", () => {
    expect(uplinkName("1a2b3c4d", 2 ** 24 - 1)).toBe("fu1a2b3c-9zldr");
  });
});

describe("planObjects", () => {
  test("is everything that a router has", () => {
    expect(textOf()).toEqual([
      "addr 10.30.1.1/32 dev lo",
      "addr 10.30.1.16/32 dev vx0",
      "addr fd30:1::a1e:110/128 dev vx0",
      "addr 169.254.64.1/31 dev up0",
      "fdb 02:f1:00:00:00:02 dev vx0 dst 10.99.0.2",
      "fdb 02:f1:00:00:00:03 dev vx0 dst 10.99.0.3",
      "neigh fe80::2 lladdr 02:f1:00:00:00:02 dev vx0",
      "neigh fe80::3 lladdr 02:f1:00:00:00:03 dev vx0",
      "neigh 10.30.1.18 lladdr 02:42:0a:1e:01:12 dev c1",
      "neigh fd30:1::a1e:112 lladdr 02:42:0a:1e:01:12 dev c1",
      "route unicast 10.30.1.18/32 table 254 dev c1",
      "route unicast fd30:1::a1e:112/128 table 254 dev c1",
      "route unicast 10.30.1.32/28 table 254 dev vx0 via fe80::2 onlink",
      "route unicast fd30:1::a1e:120/124 table 254 dev vx0 via fe80::2 onlink",
      "route unicast 10.30.1.48/28 table 254 dev vx0 via fe80::3 onlink",
      "route unicast fd30:1::a1e:130/124 table 254 dev vx0 via fe80::3 onlink",
      "route blackhole 10.30.1.0/24 table 254",
      "route blackhole fd30:1::/64 table 254",
      "route unicast 0.0.0.0/0 table 254 dev up0 via 169.254.64.0 onlink",
    ]);
  });

  test("grows with hosts, not with other hosts' containers", () => {
    const hosts = Array.from({ length: 50 }, (_, index) => ({ number: index + 1, underlay: `10.99.0.${index + 1}`, tunnels: [] }));
    expect(textOf({ state: sampleState({ hosts }) }).filter((line) => /^(fdb|neigh fe80)/.test(line)).length).toBe(98);
  });

  test("sends an address outside the blocks to its host, of both families", () => {
    const pinned = textOf({ state: sampleState({ pins: [{ host: 3, address: "10.30.1.200" }, { host: 1, address: "10.30.1.201" }] }) }); // prettier-ignore
    expect(pinned).toContain("route unicast 10.30.1.200/32 table 254 dev vx0 via fe80::3 onlink");
    expect(pinned).toContain("route unicast fd30:1::a1e:1c8/128 table 254 dev vx0 via fe80::3 onlink");
    expect(pinned.join("\n")).not.toContain("10.30.1.201");
  });

  test("of an internal network has no way out", () => {
    const lines = textOf({ uplink: undefined, state: sampleState({ isInternal: true }) });
    expect(lines.filter((line) => line.includes("up0") || line.includes("0.0.0.0/0"))).toEqual([]);
  });

  test("has ways back to the other hosts only where a port is published", () => {
    const published = [sampleService({ ports: [{ protocol: "tcp", port: 80, targetPort: 80, publishedPort: 8080 }] })];
    expect(textOf({ published }).slice(-4)).toEqual([
      "route unicast 0.0.0.0/0 table 100002 dev vx0 via fe80::2 onlink",
      "rule 4 fwmark 2 lookup 100002",
      "route unicast 0.0.0.0/0 table 100003 dev vx0 via fe80::3 onlink",
      "rule 4 fwmark 3 lookup 100003",
    ]);
    expect(textOf().join("\n")).not.toContain("fwmark");
    expect(textOf({ state: sampleState({ isInternal: true }), uplink: undefined }).join("\n")).not.toContain("fwmark");
  });

  test("of a network without IPv6 has nothing of it", () => {
    const endpoints = [{ link: "c1", address: "10.30.1.18", address6: "", mac: "02:42:0a:1e:01:12" }];
    expect(textOf({ state: sampleState({ subnet6: null }), endpoints }).filter((line) => line.includes("fd30"))).toEqual([]);
  });
});

test("MTU leaves room for the envelope of either family, unless the network says another", () => {
  expect(planMtu(sampleState(), 1500)).toBe(1450);
  expect(planMtu(sampleState({ mtuBytes: 1400 }), 9000)).toBe(1400);
  expect(largestMtu(sampleState({ hosts: [{ number: 1, underlay: "fd99::1", tunnels: [] }] }), 1500)).toBe(1430);
});

test("a host without a block has no address of its own", () => {
  expect(nodeAddress(sampleState({ blocks: [] }), 1, 4)).toBe(undefined);
  expect(nodeAddress(sampleState({ subnet6: null }), 1, 6)).toBe(undefined);
});

describe("a container's end", () => {
  const end: ContainerEnd = { endpoint: sampleInput().endpoints[0] ?? { link: "", address: "", address6: "", mac: "" }, position: 0, isDefaultRoute: true, netnsPath: "/run/c", mtuBytes: 1450 }; // prettier-ignore

  test("goes through the gateway, which is never asked for", () => {
    expect(planContainerObjects(sampleState(), end).map(formatObject)).toEqual([
      "addr 10.30.1.18/24 dev eth0",
      "neigh 10.30.1.1 lladdr 02:ee:ee:ee:ee:ee dev eth0",
      "route unicast 10.30.1.1/32 table 254 dev eth0",
      "route unicast 10.30.1.0/24 table 254 dev eth0 via 10.30.1.1 onlink src 10.30.1.18",
      "route unicast 0.0.0.0/0 table 254 dev eth0 via 10.30.1.1 onlink",
      "addr fd30:1::a1e:112/64 dev eth0",
      "neigh fe80::1 lladdr 02:ee:ee:ee:ee:ee dev eth0",
      "route unicast fd30:1::/64 table 254 dev eth0 via fe80::1 onlink src fd30:1::a1e:112",
      "route unicast ::/0 table 254 dev eth0 via fe80::1 onlink",
    ]);
  });

  test("on a second network answers on that network", () => {
    const lines = planContainerObjects(sampleState({ subnet6: null }), { ...end, position: 1, isDefaultRoute: false }).map(formatObject);
    expect(lines.slice(-2)).toEqual([
      "route unicast 0.0.0.0/0 table 201 dev eth1 via 10.30.1.1 onlink",
      "rule 4 from 10.30.1.18 lookup 201",
    ]);
  });

  test("is one veth without a bridge", () => {
    expect(planLink(end)[0]).toMatchObject({ kind: "add-veth", name: "c1", master: "", peer: { name: "eth0", netnsPath: "/run/c" } });
  });
});
