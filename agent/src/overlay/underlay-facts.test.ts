import { hostUnderlay } from "@flotilla/protocol";
import { describe, expect, test } from "vitest";
import type { Link, Route } from "../host/link-operations.ts";
import { controlHost, describeUnderlay, type UnderlayQuestion } from "./underlay-facts.ts";

const link = (index: number, name: string, mtuBytes = 1500): Link => ({
  index,
  name,
  kind: "",
  mac: "",
  mtuBytes,
  masterIndex: 0,
  isUp: true,
});
const route = (destination: string, prefixLength: number, linkIndex: number, table = 254): Route => ({
  destination,
  prefixLength,
  gateway: "",
  linkIndex,
  metric: 0,
  table,
});
const stack: UnderlayQuestion["stack"] = {
  links: () => [link(1, "lo", 65_536), link(2, "eth0", 9000), link(3, "fl1a2b3c-1"), link(4, "tun0", 1400)],
  addresses: () => [
    { linkIndex: 1, address: "127.0.0.1", prefixLength: 8 },
    { linkIndex: 2, address: "10.9.0.1", prefixLength: 24 },
    { linkIndex: 4, address: "10.200.0.2", prefixLength: 24 },
  ],
  routes: () => [
    route("0.0.0.0", 0, 2),
    route("10.9.0.0", 24, 2),
    route("10.9.0.0", 24, 2),
    route("172.18.0.0", 16, 3),
    route("10.200.0.0", 16, 4),
    route("127.0.0.0", 8, 1, 255),
  ],
};
const describeIt = (address: string) =>
  describeUnderlay({ stack, address, ownLinks: ["fl1a2b3c-"], encryption: "none", encryptionLack: null, tunnels: [] });

describe("the underlay", () => {
  test("is the address with its link's MTU and the machine's routes, without the default and Flotilla's own", () => {
    expect(describeIt("10.9.0.1")).toMatchObject({ address: "10.9.0.1", mtuBytes: 9000, routes: ["10.200.0.0/16", "10.9.0.0/24"] });
  });

  test("of a lonely machine is loopback, within what may be said", () => {
    expect(hostUnderlay.parse(describeIt("127.0.0.1"))).toMatchObject({ address: "127.0.0.1", mtuBytes: 65_535 });
  });

  test("of an address that no link has is unknown", () => expect(describeIt("10.9.0.7")).toBeUndefined());
});

test.each([
  ["https://control.example:7420", "control.example"],
  ["https://[fd00::1]:7420", "fd00::1"],
  ["https://10.9.0.1", "10.9.0.1"],
  ["http://127.0.0.1:7420", "192.0.2.1"],
  ["http://localhost:7420", "192.0.2.1"],
  ["http://[::1]:7420", "192.0.2.1"],
  [undefined, "192.0.2.1"],
])("the others of %s are where %s is", (url, host) => expect(controlHost(url)).toBe(host));
