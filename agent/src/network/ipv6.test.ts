import { describe, expect, test } from "vitest";
import { chooseIpv6Address, macOfIpv6, planIpv6, planIpv6Ranges, type Ipv6Space } from "./ipv6.ts";

describe("planIpv6", () => {
  const plan = (subnet: string, gateway = "", taken: string[] = []) => planIpv6({ subnet, gateway }, taken, "seed");

  test("takes a subnet in any spelling; its gateway is the first address", () => {
    expect(plan("FD00:0::1/64")).toEqual({ subnet6: "fd00::/64", gateway6: "fd00::1" });
    expect(plan("2001:db8::/48", "2001:db8::ff")).toEqual({ subnet6: "2001:db8::/48", gateway6: "2001:db8::ff" });
  });

  test("chooses a /64 of fd00::/8, another when that is taken", () => {
    const first = plan("");
    expect(first.subnet6).toMatch(/^fd[0-9a-f]{2}:.*::\/64$/);
    expect(first.gateway6).toBe(first.subnet6.replace("/64", "1"));
    expect(plan("", "", [first.subnet6]).subnet6).not.toBe(first.subnet6);
  });

  test.each([
    ["no prefix", "fd00::", "", "invalid subnet fd00::"],
    ["link-local", "fe80::/64", "", "unicast"],
    ["multicast", "ff00::/64", "", "unicast"],
    ["everything", "::/0", "", "unicast"],
    ["too small", "fd00::/127", "", "at most /126"],
    ["a zone", "fe80::1%eth0/64", "", "invalid subnet"],
    ["a gateway outside", "fd00::/64", "fd01::1", "no matching subnet for gateway fd01::1"],
    ["a gateway of IPv4", "fd00::/64", "10.0.0.1", "no matching subnet for gateway 10.0.0.1"],
    ["a gateway without a subnet", "", "fd00::1", "no matching subnet for gateway"],
  ])("refuses %s", (_, subnet, gateway, message) => expect(() => plan(subnet, gateway)).toThrow(message));

  test("refuses what overlaps another network's", () => {
    expect(() => plan("fd00:0:0:1::/64", "", ["fd00::/48"])).toThrow("Pool overlaps");
    expect(plan("fd00:0:1::/64", "", ["fd00::/48", "10.0.0.0/8"]).gateway6).toBe("fd00:0:1::1");
  });
});

describe("planIpv6Ranges", () => {
  const plan = (range: string, reserved: Record<string, string> = {}) =>
    planIpv6Ranges({ subnet: "", gateway: "", range, reserved }, "fd00::/64");

  test("are kept in one spelling, and are the whole subnet when nothing is said", () => {
    expect(plan("FD00:0::/80", { printer: "fd00:0::FF" })).toEqual({
      address_range6: "fd00::/80",
      reserved_addresses6: { printer: "fd00::ff" },
    });
    expect(plan("")).toEqual({ address_range6: "", reserved_addresses6: {} });
  });

  test.each(["fd01::/80", "fd00::/48", "fd00::", "10.0.0.0/24", "fe80::1%eth0/80"])("refuses the range %s", (range) => {
    expect(() => plan(range)).toThrow(`invalid ip-range ${range}`);
  });

  test.each(["fd01::1", "10.0.0.1", "printer"])("refuses the reserved address %s", (address) => {
    expect(() => plan("", { printer: address })).toThrow(`no matching subnet for aux-address ${address}`);
  });
});

describe("chooseIpv6Address", () => {
  const space = (change: Partial<Ipv6Space> = {}): Ipv6Space => ({ subnet: "172.18.0.0/16", subnet6: "fd00::/64", gateway6: "fd00::1", address_range6: "", used: new Set(), ...change }); // prettier-ignore

  test("comes from the range when there is one, from its beginning", () => {
    const ranged = (used: string[]) => space({ address_range6: "fd00::1:0/112", used: new Set(used) });
    expect(chooseIpv6Address(ranged([]), "172.18.0.9", undefined)).toBe("fd00::1:9");
    expect(chooseIpv6Address(ranged(["fd00::1:9"]), "172.18.0.9", undefined)).toBe("fd00::1:0");
    expect(chooseIpv6Address(ranged([]), "172.18.0.9", "fd00::abc")).toBe("fd00::abc");
    expect(() => chooseIpv6Address(space({ address_range6: "fd00::2/128", used: new Set(["fd00::2"]) }), "172.18.0.2", undefined)).toThrow("no available IPv6"); // prettier-ignore
  });

  test("is the place of the IPv4 address, or the first free one when that is taken or outside", () => {
    expect(chooseIpv6Address(space(), "172.18.0.2", undefined)).toBe("fd00::2");
    expect(chooseIpv6Address(space(), "172.18.1.0", undefined)).toBe("fd00::100");
    expect(chooseIpv6Address(space({ used: new Set(["fd00::2"]) }), "172.18.0.2", undefined)).toBe("fd00::3");
    expect(chooseIpv6Address(space({ subnet6: "fd00::/125" }), "172.18.0.9", undefined)).toBe("fd00::2");
  });

  test("is what the user chose, in its one spelling", () => {
    expect(chooseIpv6Address(space(), "172.18.0.2", "FD00::0:AB")).toBe("fd00::ab");
    expect(() => chooseIpv6Address(space({ used: new Set(["fd00::ab"]) }), "172.18.0.2", "fd00::ab")).toThrow("Address already in use");
    for (const wrong of ["fd01::2", "fd00::1", "fd00::", "10.0.0.1", "x"]) expect(() => chooseIpv6Address(space(), "172.18.0.2", wrong), wrong).toThrow("invalid"); // prettier-ignore
  });

  test("says when there is none, and that a network without IPv6 takes none", () => {
    const used = new Set(["fd00::2", "fd00::3"]);
    expect(() => chooseIpv6Address(space({ subnet6: "fd00::/126", used }), "172.18.0.2", undefined)).toThrow("no available IPv6 addresses");
    expect(chooseIpv6Address(space({ subnet6: "" }), "172.18.0.2", undefined)).toBe("");
    expect(() => chooseIpv6Address(space({ subnet6: "" }), "172.18.0.2", "fd00::2")).toThrow("user specified IP address");
  });
});

test("macOfIpv6 is the same for the same address, and another's for another", () => {
  expect(macOfIpv6("fd00::ab")).toMatch(/^02:46(:[0-9a-f]{2}){4}$/);
  expect(macOfIpv6("fd00::ab")).toBe(macOfIpv6("fd00::ab"));
  expect(macOfIpv6("fd00::ac")).not.toBe(macOfIpv6("fd00::ab"));
});
