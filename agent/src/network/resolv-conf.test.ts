import { describe, expect, test } from "vitest";
import { adaptResolvConf, isStubOnly, parseResolvConf } from "./resolv-conf.ts";

const adapt = (text: string) => adaptResolvConf(parseResolvConf(text));

test("nameservers, the last search list and all options are read", () => {
  expect(
    adapt("# made by hand\nnameserver 192.0.2.53\nsearch a.example\n search b.example c.example\noptions ndots:2\noptions edns0\n"),
  ).toEqual({
    nameservers: ["192.0.2.53"],
    searches: ["b.example", "c.example"],
    options: ["ndots:2", "edns0"],
  });
});

test("resolvers that only the host can reach are left out", () => {
  expect(
    adapt("nameserver 127.0.0.1\nnameserver 127.0.0.53\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver 9.9.9.9\n").nameservers,
  ).toEqual(["9.9.9.9"]);
});

test("when none is left it is Docker's choice", () => {
  expect(adapt("nameserver 127.0.0.53\n").nameservers).toEqual(["8.8.8.8", "8.8.4.4"]);
  expect(adapt("").nameservers).toEqual(["8.8.8.8", "8.8.4.4"]);
});

test("what is no address is no nameserver", () => {
  expect(parseResolvConf("nameserver example.com\nnameserver\n").nameservers).toEqual([]);
});

describe("systemd-resolved", () => {
  test("is known by its stub being the only resolver", () => {
    expect(isStubOnly(parseResolvConf("nameserver 127.0.0.53\n"))).toBe(true);
    expect(isStubOnly(parseResolvConf("nameserver 127.0.0.53\nnameserver 192.0.2.1\n"))).toBe(false);
    expect(isStubOnly(parseResolvConf(""))).toBe(false);
  });
});
