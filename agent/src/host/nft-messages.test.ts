import { describe, expect, test } from "vitest";
import { REDIRECT_REQUESTS } from "../dns/redirect-table.ts";
import { decodeAttributes, decodeText } from "./netlink-message.ts";
import type { NetlinkRequest } from "./netlink.ts";
import { canEncode, elementRequest, formatSetChange, tableRequest, transactionOf, type SetChange } from "./nft-messages.ts";

const attributesOf = ({ message }: NetlinkRequest): Map<number, Buffer> => decodeAttributes(message.payload, 4);
const nested = (bytes: Buffer | undefined): Map<number, Buffer> => decodeAttributes(bytes ?? Buffer.alloc(0), 0);
/** Keys of a request's elements as hex. */
function keysOf(request: NetlinkRequest): string[] {
  const list = attributesOf(request).get(3) ?? Buffer.alloc(0);
  const keys: string[] = [];
  for (let at = 0, length = 0; at < list.length; at += length) {
    length = list.readUInt16LE(at);
    keys.push(
      nested(nested(nested(list.subarray(at, at + length)).get(1)).get(1))
        .get(1)
        ?.toString("hex") ?? "",
    );
  }
  return keys;
}
const members: SetChange = { verb: "add", set: "members", type: "ifname . ipv4_addr", keys: ['"c1z" . 10.30.1.18', '"c20" . 10.30.1.19'] };

describe("elements of a set", () => {
  test("name table and set, with each part of a key in whole words", () => {
    const request = elementRequest("inet flotilla", members);
    expect(request.attempt).toBe('nft: add element inet flotilla members { "c1z" . 10.30.1.18, "c20" . 10.30.1.19 }');
    expect(request.message).toMatchObject({ type: 0x0a0c, flags: 0x400 });
    expect(request.message.payload.subarray(0, 4)).toEqual(Buffer.from([1, 0, 0, 0]));
    expect([1, 2].map((type) => decodeText(attributesOf(request).get(type)))).toEqual(["flotilla", "members"]);
    const name = (text: string): string => Buffer.from(text).toString("hex").padEnd(32, "0");
    expect(keysOf(request)).toEqual([`${name("c1z")}0a1e0112`, `${name("c20")}0a1e0113`]);
  });

  test("are asked to go without a flag", () => {
    const request = elementRequest("inet flotilla", { verb: "delete", set: "pairs6", type: "ipv6_addr . ipv6_addr", keys: ["fd30::1 . fd30::2"] }); // prettier-ignore
    expect(request.message).toMatchObject({ type: 0x0a0e, flags: 0 });
    expect(keysOf(request)).toEqual(["fd300000000000000000000000000001fd300000000000000000000000000002"]);
  });

  test("of types that are no interfaces and addresses are for libnftables, maps too", () => {
    const types = ["ipv4_addr", "ifname . ipv6_addr", "ether_addr", "ipv4_addr . ipv4_addr . inet_proto . inet_service", ""];
    expect(types.map(canEncode)).toEqual([true, true, false, false, false]);
  });

  test("are refused when an address is none", () => {
    expect(() => elementRequest("inet flotilla", { ...members, keys: ['"c1" . 10.30.1'] })).toThrow("invalid IP address: 10.30.1");
  });

  test("have a text for those who read it", () => {
    expect(formatSetChange("ip x", { ...members, verb: "delete", keys: ["a", "b"] })).toBe("delete element ip x members { a, b }");
  });
});

test("a transaction begins and ends with a frame, and is nothing when nothing is asked", () => {
  const request = tableRequest("ip6 flotilla_1a2b3c4d");
  expect(transactionOf([request]).map(({ message, isFrame }) => [message.type, isFrame])).toEqual([[0x10, true], [0x0a01, undefined], [0x11, true]]); // prettier-ignore
  expect(transactionOf([request])[0]?.message.payload.toString("hex")).toBe("0000000a");
  expect(transactionOf([])).toEqual([]);
  expect(request.message.payload.readUInt8(0)).toBe(10);
});

describe("the table that sends lookups to the resolver", () => {
  test("is made only where none is, with a chain for what leaves and four rules", () => {
    expect(REDIRECT_REQUESTS.map(({ message }) => [message.type & 0xff, message.flags])).toEqual([
      [0, 0x600],
      [3, 0x400],
      ...Array.from({ length: 4 }, () => [6, 0xc00]),
    ]);
    const chain = attributesOf(REDIRECT_REQUESTS[1] as NetlinkRequest);
    expect([decodeText(chain.get(3)), decodeText(chain.get(7)), chain.get(5)?.readUInt32BE()]).toEqual(["out", "filter", 1]);
    const hook = nested(chain.get(4));
    expect([hook.get(1)?.readInt32BE(), hook.get(2)?.readInt32BE()]).toEqual([3, -300]);
  });

  test("writes the port and the checksum of its protocol", () => {
    const rules = REDIRECT_REQUESTS.slice(2).map((rule) => attributesOf(rule).get(4)?.toString("hex") ?? "");
    // 127.0.0.11, 53 and 40053, and where a header's checksum is: 6 in UDP's, 16 in TCP's.
    for (const rule of rules) for (const value of ["7f00000b", "0035", "9c75"]) expect(rule).toContain(value);
    const checksum = (offset: string): string => `0800060000000001080007000000${offset}`;
    expect(rules.map((rule) => [rule.includes(checksum("0006")), rule.includes(checksum("0010"))])).toEqual([
      [true, false],
      [true, false],
      [false, true],
      [false, true],
    ]);
  });
});
