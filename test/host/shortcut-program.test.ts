// The program of a router's shortcut, packet by packet, in the kernel that runs it.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sampleService } from "@flotilla/protocol/sample-network";
import { assemble } from "../../agent/src/host/bpf-assembler.ts";
import { closeDescriptor, createMap, loadProgram, updateMap } from "../../agent/src/host/bpf.ts";
import { packIp } from "../../agent/src/host/ip-bytes.ts";
import { embed } from "../../agent/src/overlay/prefixes.ts";
import {
  planFacts,
  planGuarded,
  planLocalPlaces,
  planRemotePlaces,
  planServiceKeys,
  planShape,
  withTargets,
} from "../../agent/src/overlay/shortcut-plan.ts";
import { shortcutProgram, TARGET } from "../../agent/src/overlay/shortcut-program.ts";
import { sampleInput, sampleState } from "../../agent/src/overlay/fixture.ts";
import { runProgram } from "../../agent/src/host/run-program.ts";

// The loopback device is what packets arrive at: once as a container's link, once as the VXLAN device.
const LOOPBACK = 1;
const OTHER = 999;
const PASS = 0;
const REDIRECT = 7;
const MTU = 1450;
const OWN = "10.30.1.18";
const NEIGHBOUR = "10.30.1.19";
const REMOTE = "10.30.1.40";
const PINNED = "10.30.1.200";
const DEAD = "10.30.1.41";
const ISOLATED = "10.30.1.42";
const VIP = "10.30.1.2";
/** Has no IPv6 address. */
const ONLY4 = "10.30.1.20";
const OWN_REPLICA = 8080;

const opened: number[] = [];
let fromContainer: number;
let fromHost: number;

beforeAll(() => {
  const state = sampleState({ pins: [{ host: 3, address: PINNED }], dead: [DEAD], isolated: [ISOLATED], blocks: [{ host: 2, cidr: "10.30.1.32/28" }, { host: 3, cidr: "10.30.1.64/26" }] }); // prettier-ignore
  const endpoints = [
    { link: "c1", address: OWN, address6: v6(OWN), mac: "02:42:0a:1e:01:12" },
    { link: "c2", address: NEIGHBOUR, address6: v6(NEIGHBOUR), mac: "02:42:0a:1e:01:13" },
    { link: "c3", address: ONLY4, address6: "", mac: "02:42:0a:1e:01:14" },
  ];
  const input = sampleInput({ state, endpoints });
  const service = planServiceKeys(state, sampleService({ backends: [OWN, REMOTE].map((address) => ({ address, weight: 1 })) }));
  const stackOnly = new Set([...planGuarded(state), ...service.addresses]);
  const targeted = new Set(service.targets.values());
  const load = (vxlan: number, own: number): number => {
    const local = planLocalPlaces(input, new Map([["c1", own], ["c2", OTHER + 1], ["c3", OTHER + 2]])); // prettier-ignore
    const places = [...planRemotePlaces(state, vxlan), ...local].filter(([key]) => !stackOnly.has(key));
    const tables = [
      { shape: planShape(state, places.length), entries: places.map(([key, value]) => [key, targeted.has(key) ? withTargets(value) : value] as const) },
      { shape: { kind: "hash" as const, ...TARGET, capacity: 64 }, entries: [...service.targets.keys()].map((key) => [key, "\x01\0\0\0"] as const) },
    ]; // prettier-ignore
    const [placesMap = -1, targetsMap = -1] = tables.map(({ shape, entries }) => {
      const map = createMap(shape);
      opened.push(map);
      const bytes = (index: 0 | 1): Buffer => Buffer.from(entries.map((entry) => entry[index]).join(""), "latin1");
      updateMap(map, { count: entries.length, keys: bytes(0), values: bytes(1) });
      return map;
    });
    const program = loadProgram(assemble(shortcutProgram(planFacts(input, MTU, vxlan), { places: placesMap, targets: targetsMap }, true)));
    opened.push(program);
    return program;
  };
  fromContainer = load(OTHER, LOOPBACK);
  fromHost = load(LOOPBACK, OTHER);
});

afterAll(() => opened.forEach(closeDescriptor));

type Packet = Partial<{ from: string; to: string; sourcePort: number; port: number; ttl: number; protocol: number; fragment: number; version: number; etherType: number; toMac: string; fromMac: string; bytes: number; segmentBytes: number; tcpWords: number; family: 4 | 6 }>; // prettier-ignore

const v6 = (address: string): string => (address.includes(":") ? address : embed("fd30:1::/64", address));

/** Ethernet, IP of either family whose addresses are given as IPv4, ports, and zeros. */
function build(given: Packet): Buffer {
  const { bytes = 80, tcpWords = 5, family = 4 } = given;
  const buffer = Buffer.alloc(14 + bytes);
  // The loopback device has no address of its own: that is whom packets are for.
  buffer.write((given.toMac ?? "00:00:00:00:00:00").replaceAll(":", ""), 0, "hex");
  buffer.write((given.fromMac ?? "02:f1:00:00:00:02").replaceAll(":", ""), 6, "hex");
  buffer.writeUInt16BE(given.etherType ?? (family === 6 ? 0x86dd : 0x0800), 12);
  if (family === 6) putIpv6(buffer, given);
  else putIpv4(buffer, given);
  const ports = family === 6 ? 54 : 34;
  buffer.writeUInt16BE(given.sourcePort ?? 40_000, ports);
  buffer.writeUInt16BE(given.port ?? 9_000, ports + 2);
  if (buffer.length > ports + 12) buffer.writeUInt8(tcpWords << 4, ports + 12);
  return buffer;
}

function putIpv4(buffer: Buffer, { ttl = 64, protocol = 17, fragment = 0, version = 0x45, from = OWN, to = REMOTE }: Packet): void {
  buffer.writeUInt8(version, 14);
  buffer.writeUInt16BE(buffer.length - 14, 16);
  buffer.writeUInt16BE(fragment, 20);
  buffer.writeUInt8(ttl, 22);
  buffer.writeUInt8(protocol, 23);
  packIp(from).copy(buffer, 26);
  packIp(to).copy(buffer, 30);
  buffer.writeUInt16BE(checksum(buffer.subarray(14, 34)), 24);
}

function putIpv6(buffer: Buffer, { ttl = 64, protocol = 17, from = OWN, to = REMOTE }: Packet): void {
  buffer.writeUInt8(0x60, 14);
  buffer.writeUInt16BE(Math.max(0, buffer.length - 54), 18);
  buffer.writeUInt8(protocol, 20);
  buffer.writeUInt8(ttl, 21);
  packIp(v6(from)).copy(buffer, 22);
  packIp(v6(to)).copy(buffer, 38);
}

/** RFC 1071; 0 over a header that has the right one. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

const send = (program: number, given: Packet): ReturnType<typeof runProgram> =>
  runProgram(program, build(given), { link: LOOPBACK, segmentBytes: given.segmentBytes ?? 0 });
const outgoing = (given: Packet): number => send(fromContainer, given).verdict;
const incoming = (given: Packet): number => send(fromHost, { from: REMOTE, to: OWN, ...given }).verdict;

test("an IPv4 packet has a right checksum, also where the sum runs over", () => {
  const withId = (id: number): Buffer => {
    const packet = build({});
    packet.writeUInt16BE(id, 18);
    packet.writeUInt16BE(0, 24);
    packet.writeUInt16BE(checksum(packet.subarray(14, 34)), 24);
    return packet;
  };
  const sumAfter = (packet: Buffer): number => checksum(runProgram(fromContainer, packet, { link: LOOPBACK }).packet.subarray(14, 34));
  for (let id = 0; id < 0x1_0000; id += 251) expect(sumAfter(withId(id))).toBe(0);
  for (const last of [0xfeff, 0xff00, 0xfe00, 0xffff - 0x0101]) {
    const difference = withId(0).readUInt16BE(24) + 0xffff - last;
    const packet = withId(difference > 0xffff ? difference - 0xffff : difference);
    expect(packet.readUInt16BE(24)).toBe(last);
    expect(sumAfter(packet)).toBe(0);
  }
});

const OF_IPV4: [string, Packet][] = [
  ["that is a first fragment", { fragment: 0x2000 }],
  ["that is a later fragment", { fragment: 0x00b9 }],
  ["with options of IP", { version: 0x46 }],
  ["that is cut off", { bytes: 27 }],
];
const OF_IPV6: [string, Packet][] = [
  ["to one that has no IPv6", { to: ONLY4 }],
  ["from outside the network's IPv6, ending as one inside does", { from: "fd31:1::a1e:112" }],
  ["to outside the network's IPv6, ending as one inside does", { to: "fd30:1::1:0:a1e:128" }],
  ["with options for each hop", { protocol: 0 }],
  ["that is a fragment", { protocol: 44 }],
  ["that has a segment's size and no whole header of TCP", { protocol: 6, bytes: 59, segmentBytes: 1_000 }],
];

describe.each([
  { family: 4, header: 20, hops: 22, from: 26 },
  { family: 6, header: 40, hops: 21, from: 22 },
] as const)("IPv$family: a container's packet", ({ family, header, hops, from }) => {
  test("to another host has its addresses of Ethernet and one hop less, and is the same otherwise", () => {
    const { verdict, packet } = send(fromContainer, { family });
    expect(verdict).toBe(REDIRECT);
    expect(packet.toString("hex", 0, 12)).toBe("02f10000000202f100000001");
    expect([packet.readUInt8(hops), family === 4 ? checksum(packet.subarray(14, 34)) : 0]).toEqual([63, 0]);
    expect(packet.subarray(from)).toEqual(build({ family }).subarray(from));
  });

  test("to a neighbour comes from the gateway", () => {
    const { verdict, packet } = send(fromContainer, { family, to: NEIGHBOUR });
    expect([verdict, packet.toString("hex", 0, 12)]).toEqual([REDIRECT, "02420a1e011302eeeeeeeeee"]);
  });

  test.each<[string, Packet]>([
    ["to a pinned address", { to: PINNED }],
    ["to a block of another length", { to: "10.30.1.100" }],
    ["by TCP", { protocol: 6 }],
    ["of exactly the MTU", { bytes: MTU }],
    ["to a replica's other port", { to: REMOTE, port: 8081 }],
    ["to a replica's port by the other protocol", { to: REMOTE, port: OWN_REPLICA }],
    ["from a replica's port to another host", { sourcePort: OWN_REPLICA, protocol: 6 }],
    ["of many segments that fit", { protocol: 6, bytes: 3_000, segmentBytes: MTU - header - 20 }],
    ["of many datagrams that fit", { bytes: 3_000, segmentBytes: MTU - header - 8 }],
    ["that is the shortest", { bytes: header + 8 }],
  ])("%s takes the shortcut", (_, packet) => {
    expect(outgoing({ family, ...packet })).toBe(REDIRECT);
  });

  test.each<[string, Packet]>([
    ["with another's source address", { from: NEIGHBOUR }],
    ["with nobody's source address", { from: "10.30.1.30" }],
    ["with another host's source address", { from: REMOTE }],
    ["with a source outside the network", { from: "192.0.2.1" }],
    ["to outside the network", { to: "192.0.2.1" }],
    ["to an address of a service", { to: VIP, protocol: 6, port: 80 }],
    ["to a replica's port", { to: REMOTE, protocol: 6, port: OWN_REPLICA }],
    ["from a replica's port to a neighbour", { to: NEIGHBOUR, protocol: 6, sourcePort: OWN_REPLICA }],
    ["to the dead", { to: DEAD }],
    ["to the isolated", { to: ISOLATED }],
    ["to an address of this host's block that nobody has", { to: "10.30.1.21" }],
    ["to the gateway", { to: "10.30.1.1" }],
    ["at its last hop", { ttl: 1 }],
    ["beyond its last hop", { ttl: 0 }],
    ["of ICMP", { protocol: family === 4 ? 1 : 58 }],
    ["of SCTP", { protocol: 132 }],
    ["wider than the MTU", { bytes: MTU + 1 }],
    ["of segments that are too wide", { protocol: 6, bytes: 3_000, segmentBytes: MTU - header - 19 }],
    ["of segments with options that are too wide", { protocol: 6, tcpWords: 8, bytes: 3_000, segmentBytes: MTU - header - 20 }],
    ["of datagrams that are too wide", { bytes: 3_000, segmentBytes: MTU - header - 7 }],
    ["for another address of Ethernet", { toMac: "02:00:00:00:00:09" }],
    ["for everybody", { toMac: "ff:ff:ff:ff:ff:ff" }],
    ["that is of neither family", { etherType: 0x0806 }],
    ["that says it is of the other family", { etherType: family === 4 ? 0x86dd : 0x0800 }],
    ...(family === 4 ? OF_IPV4 : OF_IPV6),
  ])("%s goes through the stack as it is", (_, given) => {
    const { verdict, packet } = send(fromContainer, { family, ...given });
    expect([verdict, packet.equals(build({ family, ...given }))]).toEqual([PASS, true]);
  });
});

describe.each([4, 6] as const)("IPv%i: another host's packet", (family) => {
  test("comes to the container from the gateway", () => {
    const { verdict, packet } = send(fromHost, { family, from: REMOTE, to: OWN });
    expect([verdict, packet.toString("hex", 0, 12)]).toEqual([REDIRECT, "02420a1e011202eeeeeeeeee"]);
    expect(packet.readUInt8(family === 4 ? 22 : 21)).toBe(63);
  });

  test.each<[string, Packet]>([
    ["from a pinned address", { from: PINNED, fromMac: "02:f1:00:00:00:03" }],
    ["to a replica's port", { protocol: 6, port: OWN_REPLICA }],
    ["from a replica's other port", { protocol: 6, sourcePort: 8081 }],
  ])("%s takes the shortcut", (_, packet) => {
    expect(incoming({ family, ...packet })).toBe(REDIRECT);
  });

  test.each<[string, Packet]>([
    ["from a host that is not of the network", { fromMac: "02:f1:00:00:00:09" }],
    ["from a host that is not the one where its source is", { fromMac: "02:f1:00:00:00:03" }],
    ["from no host at all", { fromMac: "02:42:00:00:00:02" }],
    ["in the name of a container of this host", { from: NEIGHBOUR }],
    ["in the name of the called one", { from: OWN }],
    ["from outside the network", { from: "192.0.2.1" }],
    ["from where nobody is", { from: "10.30.1.210" }],
    ["from a replica's port, which may be an answer to a service's caller", { protocol: 6, sourcePort: OWN_REPLICA }],
    ["from the dead", { from: DEAD }],
    ["from the isolated", { from: ISOLATED }],
    ["to a container that is not here", { to: "10.30.1.21" }],
    ["to a third host", { to: PINNED }],
    ["to a block of a third host", { to: "10.30.1.100" }],
    ["to an address of a service", { to: VIP, protocol: 6, port: 80 }],
    ...(family === 6 ? OF_IPV6.slice(0, 1) : []),
  ])("%s goes through the stack", (_, packet) => {
    expect(incoming({ family, ...packet })).toBe(PASS);
  });
});
