import { describe, expect, test } from "vitest";
import { parseAddress, parseSubnet } from "@flotilla/core";
import {
  formatTableRemoval,
  formatTables,
  planBridgeElements,
  planPortElement,
  planTables,
  portOwner,
  type PublishedPort,
} from "./nft-table.ts";
import type { BridgePlan } from "./plan.ts";

const containerAddress = "172.17.0.2";
const web: PublishedPort = { hostAddress: "0.0.0.0", hostPort: 8080, protocol: "tcp", containerAddress, containerPort: 80 };
const dns: PublishedPort = { hostAddress: "127.0.0.1", hostPort: 53, protocol: "udp", containerAddress, containerPort: 5353 };
const bridge = { linkName: "fl1a2b3c-1", subnet: parseSubnet("172.17.0.0/16"), gateway: parseAddress("172.17.0.1"), isInternal: false };
const internal = { linkName: "fl1a2b3c-2", subnet: parseSubnet("172.18.0.0/16"), gateway: parseAddress("172.18.0.1"), isInternal: true };
const uplink = { linkName: "fu1a2b3c-1", subnet: parseSubnet("169.254.64.0/31"), gateway: parseAddress("169.254.64.0"), isInternal: false };

const format = (bridges: readonly BridgePlan[], ports: readonly PublishedPort[] = []): string =>
  formatTables(planTables({ table: "t", bridges, ports }), []);
/** Elements without the table's name. */
const linesOf = (plan: BridgePlan): string[] => planBridgeElements("t", plan).map(({ set, text }) => `${set.replace(" t ", " ")}: ${text}`);

test("the whole table is replaced in one transaction", () => {
  expect(format([bridge, internal, uplink], [web, dns])).toBe(`add table ip t
delete table ip t
table ip t {
  set bridges {
    type ifname
    elements = { "fl1a2b3c-1", "fl1a2b3c-2", "fu1a2b3c-1" }
  }
  set internal {
    type ifname
    elements = { "fl1a2b3c-2" }
  }
  map inside {
    type ifname . ifname : verdict
    elements = { "fl1a2b3c-1" . "fl1a2b3c-1" : accept, "fl1a2b3c-2" . "fl1a2b3c-2" : accept, "fu1a2b3c-1" . "fu1a2b3c-1" : accept }
  }
  set sources_31 {
    type ifname . ipv4_addr
    elements = { "fu1a2b3c-1" . 169.254.64.0 }
  }
  set masqueraded_31 {
    type ipv4_addr
    elements = { 169.254.64.0 }
  }
  set sources_16 {
    type ifname . ipv4_addr
    elements = { "fl1a2b3c-1" . 172.17.0.0, "fl1a2b3c-2" . 172.18.0.0 }
  }
  set masqueraded_16 {
    type ipv4_addr
    elements = { 172.17.0.0 }
  }
  map ports {
    type inet_proto . inet_service : ipv4_addr . inet_service
    elements = { tcp . 8080 : 172.17.0.2 . 80 }
  }
  map address_ports {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
    elements = { 127.0.0.1 . udp . 53 : 172.17.0.2 . 5353 }
  }
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @address_ports
    dnat ip to meta l4proto . th dport map @ports
  }
  chain isolated {
    ct state established,related accept
    ct status dnat accept
    drop
  }
  chain from_bridge {
    ip daddr 127.0.0.0/8 drop
    iifname . (ip saddr & 255.255.255.254) @sources_31 accept
    iifname . (ip saddr & 255.255.0.0) @sources_16 accept
    drop
  }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname @bridges jump from_bridge
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump publish
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname != @bridges oifname != @bridges accept
    iifname . oifname vmap @inside
    iifname @internal drop
    oifname @internal drop
    ct state established,related accept
    oifname @bridges ct status dnat accept
    oifname @bridges drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    oifname . (ip saddr & 255.255.255.254) @sources_31 ct status dnat masquerade
    oifname . (ip saddr & 255.255.255.254) @sources_31 accept
    oifname . (ip saddr & 255.255.0.0) @sources_16 ct status dnat masquerade
    oifname . (ip saddr & 255.255.0.0) @sources_16 accept
    ip saddr & 255.255.255.254 @masqueraded_31 masquerade
    ip saddr & 255.255.0.0 @masqueraded_16 masquerade
  }
}
`);
});

describe("a bridge is elements", () => {
  test("and rules do not grow with bridges of one length of prefix", () => {
    const rules = (bridges: readonly BridgePlan[]): string => format(bridges).replaceAll(/elements = .*\n/g, "");
    expect(rules([bridge, internal])).toBe(rules([bridge]).replace("  set internal {\n    type ifname\n", "  set internal {\n    type ifname\n    ")); // prettier-ignore
  });

  test("one that leads out", () => {
    expect(linesOf(bridge)).toEqual([
      'ip bridges: "fl1a2b3c-1"',
      'ip sources_16: "fl1a2b3c-1" . 172.17.0.0',
      'ip inside: "fl1a2b3c-1" . "fl1a2b3c-1" : accept',
      "ip masqueraded_16: 172.17.0.0",
    ]);
  });

  test("an internal one is not masqueraded, nor one that keeps sources", () => {
    expect(linesOf(internal)).toContain('ip internal: "fl1a2b3c-2"');
    expect(linesOf(internal).join("\n")).not.toContain("masqueraded");
    expect(linesOf({ ...bridge, keepsSource: true }).join("\n")).not.toContain("masqueraded");
  });

  test("inside an isolating one only what was published passes", () => {
    expect(linesOf({ ...bridge, isIsolating: true })).toContain('ip inside: "fl1a2b3c-1" . "fl1a2b3c-1" : goto isolated');
  });
});

describe("IPv6", () => {
  const six = { ...bridge, ipv6: { subnet: "fd00:1::/60", gateway: "fd00:1::1" } };
  const web6: PublishedPort = { ...web, hostAddress: "::", containerAddress: "fd00::2" };
  const dns6: PublishedPort = { ...dns, hostAddress: "fd99::1", containerAddress: "fd00::2" };
  const text = format([six, internal], [web, web6, dns6]);
  const table6 = text.slice(text.indexOf("add table ip6 t"));

  test("has a table of its own, with the bridges and ports that have it", () => {
    expect(table6).toContain('set bridges {\n    type ifname\n    elements = { "fl1a2b3c-1" }');
    expect(table6).toContain("type inet_proto . inet_service : ipv6_addr . inet_service\n    elements = { tcp . 8080 : fd00::2 . 80 }");
    expect(table6).toContain("elements = { fd99::1 . udp . 53 : fd00::2 . 5353 }");
    expect(text.slice(0, text.indexOf("add table ip6 t"))).not.toContain("fd00");
    expect(format([bridge])).not.toContain("ip6");
  });

  test("keeps containers from loopback and from others' addresses, and gives what leaves the host's", () => {
    expect(table6).toContain("ip6 daddr ::1 drop");
    expect(table6).toContain(
      "iifname . (ip6 saddr & ffff:ffff:ffff:fff0::) @sources_60 accept\n    ip6 saddr { fe80::/10, :: } accept\n    drop",
    );
    expect(table6).toContain('type ifname . ipv6_addr\n    elements = { "fl1a2b3c-1" . fd00:1:: }');
    expect(table6).toContain("ip6 saddr & ffff:ffff:ffff:fff0:: @masqueraded_60 masquerade");
  });

  test("ports go into the table of their family", () => {
    expect([web6, dns6].map((port) => planPortElement("t", port))).toEqual([
      { set: "ip6 t ports", text: "tcp . 8080 : fd00::2 . 80" },
      { set: "ip6 t address_ports", text: "fd99::1 . udp . 53 : fd00::2 . 5353" },
    ]);
    expect(portOwner(web6)).not.toBe(portOwner(web));
  });
});

test("without bridges there is no table, and removing one that is not there is no error", () => {
  const plan = planTables({ table: "t", bridges: [], ports: [] });
  expect(plan.tables.size).toBe(0);
  expect(formatTables(plan, ["ip t", "ip6 t"])).toBe(formatTableRemoval("ip t") + formatTableRemoval("ip6 t"));
  expect(formatTableRemoval("ip6 t")).toBe("add table ip6 t\ndelete table ip6 t\n");
});

test("a map without elements has no empty list, which nft refuses", () => {
  expect(format([bridge])).not.toContain("{  }");
});
