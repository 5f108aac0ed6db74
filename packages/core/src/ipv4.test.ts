import { describe, expect, test } from "vitest";
import { containsAddress, formatAddress, formatSubnet, macOfAddress, parseAddress, parseSubnet, subnetsOverlap } from "./ipv4.ts";

test.each(["0.0.0.0", "172.17.0.1", "255.255.255.255"])("%s comes back as it went in", (text) => {
  expect(formatAddress(parseAddress(text))).toBe(text);
});

test.each(["172.17.0", "172.17.0.256", "::1", "1.2.3.4; drop", "", "01.2.3.4"])("%j is no address", (text) => {
  expect(() => parseAddress(text)).toThrow("invalid IPv4 address");
});

describe("subnets", () => {
  test("bits behind the prefix are cleared", () => {
    expect(formatSubnet(parseSubnet("192.168.7.9/20"))).toBe("192.168.0.0/20");
    expect(formatSubnet(parseSubnet("10.1.2.3/32"))).toBe("10.1.2.3/32");
    expect(formatSubnet(parseSubnet("10.1.2.3/0"))).toBe("0.0.0.0/0");
  });

  test.each(["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "/8", "fd00::/8", "10.0.0.0/1e1"])("%j is refused", (text) => {
    expect(() => parseSubnet(text)).toThrow("invalid CIDR block notation");
  });

  test("first and last address belong, the next do not", () => {
    const subnet = parseSubnet("172.17.0.0/16");
    const isIn = (address: string): boolean => containsAddress(subnet, parseAddress(address));
    expect([isIn("172.17.0.0"), isIn("172.17.255.255"), isIn("172.16.255.255"), isIn("172.18.0.0")]).toEqual([true, true, false, false]);
  });

  test.each([
    ["172.17.0.0/16", "172.17.5.0/24", true],
    ["172.17.5.0/24", "172.16.0.0/12", true],
    ["172.17.0.0/16", "172.18.0.0/16", false],
    ["128.0.0.0/1", "255.255.255.255/32", true],
  ])("%s and %s overlap: %s", (a, b, expected) => {
    expect(subnetsOverlap(parseSubnet(a), parseSubnet(b))).toBe(expected);
    expect(subnetsOverlap(parseSubnet(b), parseSubnet(a))).toBe(expected);
  });
});

test("a MAC address holds the address it belongs to", () => {
  expect(macOfAddress(parseAddress("172.17.0.2"))).toBe("02:42:ac:11:00:02");
});
