import { HostConfig } from "@flotilla/engine-api";
import { expect, test } from "vitest";
import { formatHosts, formatResolvConf } from "./network-files.ts";

test("hosts names localhost, extra hosts, the container itself and its peers", () => {
  const text = formatHosts({
    hostname: "box",
    domainname: "example.org",
    addresses: ["172.17.0.2"],
    extraHosts: ["db:10.0.0.1", "gw=host-gateway"],
    gateway: "172.17.0.1",
    peers: [{ address: "172.18.0.3", names: ["api", "web"] }],
  });
  expect(text.split("\n").slice(6)).toEqual([
    "10.0.0.1\tdb",
    "172.17.0.1\tgw",
    "172.17.0.2\tbox.example.org box",
    "172.18.0.3\tapi web",
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
    peers: [],
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
  expect(formatResolvConf(host, HostConfig.parse(own))).toBe(text);
});
