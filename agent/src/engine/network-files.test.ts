import { HostConfig } from "@flotilla/engine-api";
import { expect, test } from "vitest";
import { formatHosts, formatResolvConf } from "./network-files.ts";

test("hosts names localhost, extra hosts, links and the container itself", () => {
  const text = formatHosts({
    hostname: "box",
    domainname: "example.org",
    addresses: ["172.17.0.2"],
    extraHosts: ["db:10.0.0.1", "gw=host-gateway"],
    gateway: "172.17.0.1",
    links: [{ address: "172.17.0.9", names: ["store", "db"] }],
  });
  expect(text.split("\n").slice(6)).toEqual([
    "10.0.0.1\tdb",
    "172.17.0.1\tgw",
    "172.17.0.9\tstore db",
    "172.17.0.2\tbox.example.org box",
    "",
  ]);
  expect(text).toContain("127.0.0.1\tlocalhost\n");
});

test("host-gateway without a gateway is left out", () => {
  const text = formatHosts({
    hostname: "b",
    domainname: "",
    addresses: [],
    extraHosts: ["gw:host-gateway"],
    gateway: undefined,
    links: [],
  });
  expect(text).not.toContain("gw");
});

const host = { nameservers: ["9.9.9.9"], searches: ["lan"], options: ["ndots:2"] };

test.each([
  [{}, "nameserver 9.9.9.9\nsearch lan\noptions ndots:2\n"],
  [
    { Dns: ["1.1.1.1", "8.8.8.8"], DnsSearch: ["a.org", "b.org"], DnsOptions: ["rotate"] },
    "nameserver 1.1.1.1\nnameserver 8.8.8.8\nsearch a.org b.org\noptions rotate\n",
  ],
  [{ DnsSearch: ["."] }, "nameserver 9.9.9.9\noptions ndots:2\n"],
])("resolv.conf with %j", (own, text) => {
  expect(formatResolvConf(host, HostConfig.parse(own), { hasNames: false })).toBe(text);
});

test.each([
  [{}, "nameserver 127.0.0.11\nsearch lan\noptions ndots:2\n"],
  [{ Dns: ["1.1.1.1"], DnsOptions: ["rotate"] }, "nameserver 127.0.0.11\nsearch lan\noptions rotate ndots:0\n"],
  [{ DnsOptions: ["ndots:5"] }, "nameserver 127.0.0.11\nsearch lan\noptions ndots:5\n"],
])("resolv.conf on a network with names with %j", (own, text) => {
  expect(formatResolvConf(host, HostConfig.parse(own), { hasNames: true })).toBe(text);
});
