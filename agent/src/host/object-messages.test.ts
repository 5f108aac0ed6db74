import { expect, test } from "vitest";
import { formatObject, type KernelObject } from "./kernel-objects.ts";
import { decodeObject, dumpRequests, encodeChange } from "./object-messages.ts";

const links = {
  indexOf: (name: string): number => ({ lo: 1, vx0: 3 })[name] ?? 9,
  nameOf: (index: number): string => ({ 1: "lo", 3: "vx0" })[index] ?? "c1",
};
const OBJECTS: KernelObject[] = [
  { kind: "address", link: "lo", address: "10.30.1.1", prefixLength: 32 },
  { kind: "address", link: "vx0", address: "fd30:1::a1e:110", prefixLength: 128 },
  { kind: "fdb", link: "vx0", mac: "02:f1:00:00:00:02", destination: "10.99.0.2" },
  { kind: "fdb", link: "vx0", mac: "02:f1:00:00:00:02", destination: "fd99::2" },
  { kind: "neighbour", link: "vx0", address: "fe80::2", mac: "02:f1:00:00:00:02" },
  { kind: "route", destination: "10.30.1.32/28", table: 254, type: "unicast", link: "vx0", via: "fe80::2", source: "" },
  { kind: "route", destination: "fd30:1::a1e:120/124", table: 254, type: "unicast", link: "vx0", via: "fe80::2", source: "" },
  { kind: "route", destination: "0.0.0.0/0", table: 100_002, type: "unicast", link: "vx0", via: "fe80::2", source: "" },
  { kind: "route", destination: "10.30.1.0/24", table: 254, type: "unicast", link: "vx0", via: "10.30.1.1", source: "10.30.1.18" },
  { kind: "route", destination: "10.30.1.0/24", table: 254, type: "blackhole", link: "", via: "", source: "" },
  { kind: "rule", family: 4, mark: 2, from: "", table: 100_002 },
  { kind: "rule", family: 6, mark: 0, from: "fd30:1::a1e:112", table: 201 },
];

// What we ask for and what the kernel tells have one layout: type "new" is the answer to type "get".
test.each(OBJECTS.map((object) => [formatObject(object), object] as const))("%s is read back as it is written", (_, object) => {
  const { type, payload } = encodeChange({ verb: "replace", object }, links);
  expect(decodeObject(type + 2, payload, links)).toEqual(object);
});

test("what the kernel made by itself is not ours", () => {
  const [, , , , route] = OBJECTS.map((object) => encodeChange({ verb: "replace", object }, links)).map(({ type, payload }) => ({
    type,
    payload,
  }));
  expect(route?.type).toBe(28);
  const kernels = encodeChange({ verb: "replace", object: OBJECTS[5] ?? { kind: "rule", family: 4, mark: 1, from: "", table: 1 } }, links);
  kernels.payload.writeUInt8(2, 5);
  expect(decodeObject(kernels.type + 2, kernels.payload, links)).toBe(undefined);
});

test("every kind is asked for in every family that it has", () => {
  expect(dumpRequests().map(({ attempt, message }) => `${attempt} ${message.payload.readUInt8(0)}`)).toEqual([
    "list addresses 2",
    "list addresses 10",
    "list neighbours 2",
    "list neighbours 10",
    "list neighbours 7",
    "list routes 2",
    "list routes 10",
    "list rules 2",
    "list rules 10",
  ]);
});
