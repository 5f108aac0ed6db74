import { expect, test } from "vitest";
import { formatLinkOperation } from "../host/link-operations.ts";
import { parseAddress, parseSubnet } from "@flotilla/core";
import {
  bridgeName,
  planAdoption,
  planBridge,
  planBridgeIpv6,
  planContainerIpv6,
  planContainerEnd,
  planHostEnd,
  vethName,
  type BridgePlan,
  type EndpointPlan,
} from "./plan.ts";

const bridge: BridgePlan = {
  linkName: "fl1a2b3c-1",
  subnet: parseSubnet("172.17.0.0/16"),
  gateway: parseAddress("172.17.0.1"),
  isInternal: false,
};
const endpoint: EndpointPlan = {
  linkName: "fv1a2b3c-2s",
  position: 0,
  address: parseAddress("172.17.0.2"),
  address6: "",
  mac: "02:42:ac:11:00:02",
  isDefaultRoute: true,
  hasPorts: false,
  bridge,
};

test("names of links fit the kernel's fifteen bytes for two thousand million of them", () => {
  expect(bridgeName("1a2b3c4d", 1)).toBe("fl1a2b3c-1");
  expect(vethName("1a2b3c4d", 2_000_000_000)).toBe("fv1a2b3c-x2qxvk");
  expect(vethName("1a2b3c4d", 2_176_782_335)).toHaveLength(15);
});

test("a bridge gets a fixed MAC address, the gateway's address and no IPv6", () => {
  expect(planBridge(bridge, 1400).map(formatLinkOperation)).toEqual([
    "link add fl1a2b3c-1 address 02:42:ac:11:00:01 mtu 1400 type bridge",
    "link set fl1a2b3c-1 addrgenmode none",
    "addr add 172.17.0.1/16 dev fl1a2b3c-1",
    "link set fl1a2b3c-1 up",
  ]);
});

test("IPv6 is added to what is up: the gateway's address, one to ask for neighbours with, the container's own", () => {
  const six = { ...bridge, ipv6: { subnet: "fd00::/64", gateway: "fd00::1" } };
  expect(planBridgeIpv6(six).map(formatLinkOperation)).toEqual(["addr add fe80::1/64 dev fl1a2b3c-1", "addr add fd00::1/64 dev fl1a2b3c-1"]); // prettier-ignore
  expect(planContainerIpv6({ ...endpoint, address6: "fd00::2", bridge: six }).map(formatLinkOperation)).toEqual(["addr add fd00::2/64 dev eth0"]); // prettier-ignore
  expect([...planBridgeIpv6(bridge), ...planContainerIpv6(endpoint)]).toEqual([]);
});

test("an endpoint is one veth with both ends told apart, and a default route inside", () => {
  expect(planHostEnd(endpoint, { netnsPath: "/run/f/netns/c1", mtuBytes: 1400 }).map(formatLinkOperation)).toEqual([
    "link add fv1a2b3c-2s address 02:fe:ac:11:00:02 mtu 1400 master fl1a2b3c-1 type veth peer eth0 address 02:42:ac:11:00:02 mtu 1400 netns /run/f/netns/c1",
    "link set fv1a2b3c-2s addrgenmode none",
    "link set fv1a2b3c-2s up",
  ]);
  expect(planContainerEnd(endpoint).map(formatLinkOperation)).toEqual([
    "link set eth0 addrgenmode none",
    "addr add 172.17.0.2/16 dev eth0",
    "link set eth0 up",
    "route add default via 172.17.0.1 dev eth0",
  ]);
});

test("an endpoint with published ports may send a frame back to its own container", () => {
  const operations = planHostEnd({ ...endpoint, hasPorts: true }, { netnsPath: "/run/f/netns/c1", mtuBytes: 1400 });
  expect(operations.map(formatLinkOperation).at(-1)).toBe("link set fv1a2b3c-2s type bridge_slave hairpin on");
});

test("a second network brings no default route", () => {
  const operations = planContainerEnd({ ...endpoint, position: 1, isDefaultRoute: false }).map(formatLinkOperation);
  expect(operations.at(-1)).toBe("link set eth1 up");
});

test("a container of an isolating bridge exchanges no frames with others of it, whenever its link is made", () => {
  const isolating = { ...bridge, isIsolating: true };
  const made = planHostEnd({ ...endpoint, bridge: isolating }, { netnsPath: "/run/f/netns/c1", mtuBytes: 1400 });
  expect(made.map(formatLinkOperation).at(-1)).toBe("link set fv1a2b3c-2s type bridge_slave isolated on");
  const adopted = planAdoption("fv1a2b3c-2s", { master: "fl1a2b3c-1", hasPorts: true, isIsolating: true });
  expect(adopted.map(formatLinkOperation)).toEqual([
    "link set fv1a2b3c-2s master fl1a2b3c-1",
    "link set fv1a2b3c-2s type bridge_slave hairpin on",
    "link set fv1a2b3c-2s type bridge_slave isolated on",
  ]);
});
