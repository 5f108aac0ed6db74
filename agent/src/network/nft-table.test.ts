import { describe, expect, test } from "vitest";
import { parseAddress, parseSubnet } from "@flotilla/core";
import { formatPorts, formatTableRemoval, formatTables, type PublishedPort } from "./nft-table.ts";

const containerAddress = "172.17.0.2";
const web: PublishedPort = { hostAddress: "0.0.0.0", hostPort: 8080, protocol: "tcp", containerAddress, containerPort: 80 };
const dns: PublishedPort = { hostAddress: "127.0.0.1", hostPort: 53, protocol: "udp", containerAddress, containerPort: 5353 };
const bridge = { linkName: "fl1a2b3c-1", subnet: parseSubnet("172.17.0.0/16"), gateway: parseAddress("172.17.0.1"), isInternal: false };
const internal = { linkName: "fl1a2b3c-2", subnet: parseSubnet("172.18.0.0/16"), gateway: parseAddress("172.18.0.1"), isInternal: true };

test("the whole table is replaced in one transaction", () => {
  expect(formatTables({ table: "flotilla_1a2b3c4d", bridges: [bridge, internal], ports: [web, dns] })).toBe(`add table ip flotilla_1a2b3c4d
delete table ip flotilla_1a2b3c4d
table ip flotilla_1a2b3c4d {
  set bridges {
    type ifname
    elements = { "fl1a2b3c-1", "fl1a2b3c-2" }
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
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname @bridges ip daddr 127.0.0.0/8 drop
    iifname "fl1a2b3c-1" ip saddr != 172.17.0.0/16 drop
    iifname "fl1a2b3c-2" ip saddr != 172.18.0.0/16 drop
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
    iifname "fl1a2b3c-1" oifname "fl1a2b3c-1" accept
    iifname "fl1a2b3c-2" oifname "fl1a2b3c-2" accept
    iifname "fl1a2b3c-2" drop
    oifname "fl1a2b3c-2" drop
    ct state established,related accept
    oifname @bridges ct status dnat accept
    oifname @bridges drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    oifname "fl1a2b3c-1" ip saddr 172.17.0.0/16 ct status dnat masquerade
    oifname != "fl1a2b3c-1" ip saddr 172.17.0.0/16 masquerade
    oifname "fl1a2b3c-2" ip saddr 172.18.0.0/16 ct status dnat masquerade
  }
}
`);
});

test("inside an isolating bridge only what was published passes; one that keeps sources is not masqueraded", () => {
  const text = formatTables({ table: "t", bridges: [{ ...bridge, isIsolating: true, keepsSource: true }], ports: [] });
  const inside = `iifname "${bridge.linkName}" oifname "${bridge.linkName}"`;
  expect(text).toContain(`    ${inside} ct state established,related accept\n    ${inside} ct status dnat accept\n    ${inside} drop\n`);
  expect(text).not.toContain(`${inside} accept`);
  expect(text).not.toContain(`oifname != "${bridge.linkName}" ip saddr`);
});

describe("IPv6", () => {
  const six = { ...bridge, ipv6: { subnet: "fd00::/64", gateway: "fd00::1" } };
  const web6: PublishedPort = { ...web, hostAddress: "::", containerAddress: "fd00::2" };
  const dns6: PublishedPort = { ...dns, hostAddress: "fd99::1", containerAddress: "fd00::2" };
  const text = formatTables({ table: "t", bridges: [six, internal], ports: [web, web6, dns6] });
  const table6 = text.slice(text.indexOf("add table ip6 t"));

  test("has a table of its own, with the bridges and ports that have it", () => {
    expect(table6).toContain('set bridges {\n    type ifname\n    elements = { "fl1a2b3c-1" }');
    expect(table6).toContain("type inet_proto . inet_service : ipv6_addr . inet_service\n    elements = { tcp . 8080 : fd00::2 . 80 }");
    expect(table6).toContain("elements = { fd99::1 . udp . 53 : fd00::2 . 5353 }");
    expect(text.slice(0, text.indexOf("add table ip6 t"))).not.toContain("fd00");
  });

  test("keeps containers from loopback and from others' addresses, and gives what leaves the host's", () => {
    expect(table6).toContain("iifname @bridges ip6 daddr ::1 drop");
    expect(table6).toContain('iifname "fl1a2b3c-1" ip6 saddr != { fd00::/64, fe80::/10, :: } drop');
    expect(table6).toContain('oifname != "fl1a2b3c-1" ip6 saddr fd00::/64 masquerade');
  });

  test("ports go into the table of their family", () => {
    expect(formatPorts("delete", "t", [web6, dns6])).toBe(
      "delete element ip6 t ports { tcp . 8080 : fd00::2 . 80 }\ndelete element ip6 t address_ports { fd99::1 . udp . 53 : fd00::2 . 5353 }\n",
    );
  });
});

test("a map without elements has no empty list, which nft refuses", () => {
  expect(formatTables({ table: "t", bridges: [bridge], ports: [] })).not.toContain("{  }");
});

test("removing a table that is not there is no error", () => {
  expect(formatTableRemoval("flotilla_1a2b3c4d", "ip6")).toBe("add table ip6 flotilla_1a2b3c4d\ndelete table ip6 flotilla_1a2b3c4d\n");
});

describe("ports of one container", () => {
  test("are elements of two maps, in one transaction", () => {
    expect(formatPorts("add", "t", [web, dns])).toBe(
      "add element ip t ports { tcp . 8080 : 172.17.0.2 . 80 }\nadd element ip t address_ports { 127.0.0.1 . udp . 53 : 172.17.0.2 . 5353 }\n",
    );
  });

  test("are nothing for a container that publishes none", () => {
    expect(formatPorts("delete", "t", [])).toBe("");
  });
});
