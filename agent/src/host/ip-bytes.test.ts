import { describe, expect, test } from "vitest";
import { canonicalIp, packIp, unpackIp } from "./ip-bytes.ts";

describe("packIp", () => {
  test.each([
    ["10.30.1.18", "0a1e0112"],
    ["fe80::2", "fe800000000000000000000000000002"],
    ["::", "00000000000000000000000000000000"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["::ffff:1.2.3.4", "00000000000000000000ffff01020304"],
    ["fd00::", "fd000000000000000000000000000000"],
  ])("%s", (text, hex) => {
    expect(packIp(text).toString("hex")).toBe(hex);
  });

  test.each(["", "1.2.3", "1.2.3.256", "fe80::1%eth0", "::g", "x"])("refuses %j", (text) => {
    expect(() => packIp(text)).toThrow(`invalid IP address: ${text}`);
  });
});

test("there and back gives the canonical spelling", () => {
  expect(canonicalIp("FE80:0:0:0:0:0:0:00A")).toBe("fe80::a");
  expect(canonicalIp("fd5f:1ab:0:0:0:7:0:1")).toBe("fd5f:1ab::7:0:1");
  expect(unpackIp(packIp("192.168.0.1"))).toBe("192.168.0.1");
});
