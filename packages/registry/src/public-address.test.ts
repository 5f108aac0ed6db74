import { describe, expect, test } from "vitest";
import { isLoopbackHost, isPublicAddress } from "./public-address.ts";

describe("isPublicAddress", () => {
  test.each(["1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "192.167.1.1", "2606:4700::1111", "2a00:1450::1"])(
    "%s is public",
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test.each([
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2001::1",
    "localhost",
    "",
    "1.1.1",
  ])("%s is not", (address) => expect(isPublicAddress(address)).toBe(false));
});

test.each([
  ["localhost", true],
  ["127.8.9.1", true],
  ["[::1]", true],
  ["127.example.com", false],
  ["localhost.example.com", false],
])("%s is loopback: %s", (host, expected) => expect(isLoopbackHost(host)).toBe(expected));
