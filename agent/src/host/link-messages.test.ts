import { describe, expect, test } from "vitest";
import { findRequest, linkRequest, linksOf, vethMessage, type LinkChange } from "./link-messages.ts";
import type { LinkOperation } from "./link-operations.ts";
import { decodeAttributes, decodeText } from "./netlink-message.ts";

const INDEXES: Record<string, number> = { br0: 7, eth0: 2, v0: 9 };
const request = (operation: LinkChange) => linkRequest(operation, (name) => INDEXES[name] ?? 0);
const nested = (bytes: Buffer | undefined, offset = 0): Map<number, Buffer> => decodeAttributes(bytes ?? Buffer.alloc(0), offset);

const VETH: Extract<LinkOperation, { kind: "add-veth" }> = {
  kind: "add-veth",
  name: "v0",
  mac: "02:00:00:00:00:01",
  master: "br0",
  mtuBytes: 1400,
  peer: { name: "eth0", mac: "02:00:00:00:00:02", netnsPath: "/n" },
};

test("a message needs the indexes of links that it does not name", () => {
  const operations: LinkOperation[] = [
    VETH,
    { ...VETH, master: "" },
    { kind: "set-master", name: "v0", master: "br0" },
    { kind: "add-address", name: "eth0", address: "10.0.0.2", prefixLength: 24 },
    { kind: "enable-hairpin", name: "v0" },
    { kind: "isolate-port", name: "v0" },
    { kind: "add-default-route", gateway: "10.0.0.1", link: "eth0" },
    { kind: "replace-default-route", gateway: "10.0.0.1", link: "eth0" },
    { kind: "set-up", name: "v0" },
    { kind: "delete-link", name: "v0" },
  ];
  expect(operations.map(linksOf)).toEqual([["br0"], [], ["br0"], ["eth0"], ["v0"], ["v0"], ["eth0"], ["eth0"], [], []]);
});

describe("a message", () => {
  test("of both ends of a veth has all that each is to be", () => {
    const { type, flags, payload } = vethMessage(VETH, 33, (name) => INDEXES[name] ?? 0);
    expect([type, flags]).toEqual([16, 0x600]);
    const near = nested(payload, 16);
    expect([decodeText(near.get(3)), near.get(1)?.toString("hex"), near.get(4)?.readUInt32LE(), near.get(10)?.readUInt32LE()]).toEqual([
      "v0",
      "020000000001",
      1400,
      7,
    ]);
    const far = nested(nested(nested(near.get(18)).get(2)).get(1), 16);
    expect([decodeText(far.get(3)), far.get(1)?.toString("hex"), far.get(28)?.readUInt32LE()]).toEqual(["eth0", "020000000002", 33]);
    expect(nested(vethMessage({ ...VETH, master: "" }, 3, () => 0).payload, 16).has(10)).toBe(false);
  });

  test("changes a link by its name, and only what it is to change", () => {
    const up = request({ kind: "set-up", name: "v0" });
    expect([up.attempt, up.message.payload.readUInt32LE(8), up.message.payload.readUInt32LE(12)]).toEqual(["link set v0 up", 1, 1]);
    const { message, ignore } = request({ kind: "disable-ipv6-autoconfiguration", name: "v0" });
    expect([message.payload.readUInt32LE(8), message.payload.readUInt32LE(12), ignore]).toEqual([0, 0, ["EAFNOSUPPORT"]]);
  });

  test("names others by their index", () => {
    const index = (operation: LinkChange): number => request(operation).message.payload.readUInt32LE(4);
    expect(index({ kind: "add-address", name: "eth0", address: "fd00::2", prefixLength: 64 })).toBe(2);
    expect(index({ kind: "enable-hairpin", name: "v0" })).toBe(9);
    const route = request({ kind: "replace-default-route", gateway: "10.0.0.1", link: "eth0" }).message;
    expect([nested(route.payload, 12).get(4)?.readUInt32LE(), route.flags]).toEqual([2, 0x500]);
  });

  test("that asks for a link asks for no counters", () => {
    const { attempt, message, isQuestion } = findRequest("v0");
    expect([attempt, isQuestion, nested(message.payload, 16).get(29)?.readUInt32LE()]).toEqual(["find link v0", true, 8]);
  });
});
