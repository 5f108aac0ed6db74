// The program of a router's shortcut, packet by packet, in the kernel that runs it.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sampleService } from "@flotilla/protocol/sample-network";
import { assemble } from "../../agent/src/host/bpf-assembler.ts";
import { closeDescriptor, createMap, loadProgram, updateMap } from "../../agent/src/host/bpf.ts";
import { packIp } from "../../agent/src/host/ip-bytes.ts";
import { planFacts, planNetworkEntries, planServiceKeys, THROUGH_STACK } from "../../agent/src/overlay/shortcut-plan.ts";
import { KEY_BYTES, shortcutProgram, VALUE_BYTES } from "../../agent/src/overlay/shortcut-program.ts";
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
const OWN_REPLICA = 8080;

const opened: number[] = [];
let fromContainer: number;
let fromHost: number;

beforeAll(() => {
  const state = sampleState({ pins: [{ host: 3, address: PINNED }], dead: [DEAD], isolated: [ISOLATED], blocks: [{ host: 2, cidr: "10.30.1.32/28" }, { host: 3, cidr: "10.30.1.64/26" }] }); // prettier-ignore
  const endpoints = [
    { link: "c1", address: OWN, address6: "", mac: "02:42:0a:1e:01:12" },
    { link: "c2", address: NEIGHBOUR, address6: "", mac: "02:42:0a:1e:01:13" },
  ];
  const input = sampleInput({ state, endpoints });
  const service = planServiceKeys(sampleService({ backends: [OWN, REMOTE].map((address) => ({ address, weight: 1 })) }));
  const load = (vxlan: number, own: number): number => {
    const network = planNetworkEntries(input, { vxlan, links: new Map([["c1", own], ["c2", OTHER + 1]]) }); // prettier-ignore
    const entries = new Map(network);
    for (const key of [...service.addresses, ...service.targets]) entries.set(key, THROUGH_STACK);
    const map = createMap({ keyBytes: KEY_BYTES, valueBytes: VALUE_BYTES, capacity: 64 });
    opened.push(map);
    const bytes = (parts: Iterable<string>): Buffer => Buffer.from([...parts].join(""), "latin1");
    updateMap(map, { count: entries.size, keys: bytes(entries.keys()), values: bytes(entries.values()) });
    const program = loadProgram(assemble(shortcutProgram(planFacts(input, MTU, vxlan), map, true)));
    opened.push(program);
    return program;
  };
  fromContainer = load(OTHER, LOOPBACK);
  fromHost = load(LOOPBACK, OTHER);
});

afterAll(() => opened.forEach(closeDescriptor));

type Packet = Partial<{ from: string; to: string; sourcePort: number; port: number; ttl: number; protocol: number; fragment: number; version: number; etherType: number; toMac: string; fromMac: string; bytes: number; segmentBytes: number; tcpWords: number }>; // prettier-ignore

function build(given: Packet): Buffer {
  const { ttl = 64, protocol = 17, fragment = 0, version = 0x45, etherType = 0x0800, bytes = 64, tcpWords = 5 } = given;
  const buffer = Buffer.alloc(14 + bytes);
  // The loopback device has no address of its own: that is whom packets are for.
  buffer.write((given.toMac ?? "00:00:00:00:00:00").replaceAll(":", ""), 0, "hex");
  buffer.write((given.fromMac ?? "02:f1:00:00:00:02").replaceAll(":", ""), 6, "hex");
  buffer.writeUInt16BE(etherType, 12);
  buffer.writeUInt8(version, 14);
  buffer.writeUInt16BE(bytes, 16);
  buffer.writeUInt16BE(fragment, 20);
  buffer.writeUInt8(ttl, 22);
  buffer.writeUInt8(protocol, 23);
  packIp(given.from ?? OWN).copy(buffer, 26);
  packIp(given.to ?? REMOTE).copy(buffer, 30);
  buffer.writeUInt16BE(checksum(buffer.subarray(14, 34)), 24);
  buffer.writeUInt16BE(given.sourcePort ?? 40_000, 34);
  buffer.writeUInt16BE(given.port ?? 9_000, 36);
  if (bytes > 32) buffer.writeUInt8(tcpWords << 4, 46);
  return buffer;
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

describe("a container's packet", () => {
  test("to another host has its addresses of Ethernet, one hop less, and a right checksum", () => {
    const { verdict, packet } = send(fromContainer, {});
    expect(verdict).toBe(REDIRECT);
    expect(packet.toString("hex", 0, 12)).toBe("02f10000000202f100000001");
    expect([packet.readUInt8(22), checksum(packet.subarray(14, 34))]).toEqual([63, 0]);
    expect(packet.subarray(26)).toEqual(build({}).subarray(26));
  });

  test("to a neighbour comes from the gateway", () => {
    const { verdict, packet } = send(fromContainer, { to: NEIGHBOUR });
    expect([verdict, packet.toString("hex", 0, 12)]).toEqual([REDIRECT, "02420a1e011302eeeeeeeeee"]);
  });

  test("has a right checksum, also where the sum runs over", () => {
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

  test.each<[string, Packet, number]>([
    ["to a pinned address", { to: PINNED }, REDIRECT],
    ["to a block of another length", { to: "10.30.1.100" }, REDIRECT],
    ["by TCP", { protocol: 6 }, REDIRECT],
    ["of exactly the MTU", { bytes: MTU }, REDIRECT],
    ["to a replica's other port", { to: REMOTE, port: 8081 }, REDIRECT],
    ["from a replica's port to another host", { sourcePort: OWN_REPLICA, protocol: 6 }, REDIRECT],
    ["of many segments that fit", { protocol: 6, bytes: 3_000, segmentBytes: MTU - 40 }, REDIRECT],
    ["of many datagrams that fit", { bytes: 3_000, segmentBytes: MTU - 28 }, REDIRECT],
    ["that is the shortest", { bytes: 28 }, REDIRECT],
  ])("%s takes the shortcut", (_, packet, verdict) => {
    expect(outgoing(packet)).toBe(verdict);
  });

  test.each<[string, Packet]>([
    ["with another's source address", { from: NEIGHBOUR }],
    ["with nobody's source address", { from: "10.30.1.30" }],
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
    ["that is a first fragment", { fragment: 0x2000 }],
    ["that is a later fragment", { fragment: 0x00b9 }],
    ["with options of IP", { version: 0x46 }],
    ["of IPv6", { etherType: 0x86dd, version: 0x60 }],
    ["of ICMP", { protocol: 1 }],
    ["of SCTP", { protocol: 132 }],
    ["wider than the MTU", { bytes: MTU + 1 }],
    ["of segments that are too wide", { protocol: 6, bytes: 3_000, segmentBytes: MTU - 39 }],
    ["of segments with options that are too wide", { protocol: 6, tcpWords: 8, bytes: 3_000, segmentBytes: MTU - 40 }],
    ["of datagrams that are too wide", { bytes: 3_000, segmentBytes: MTU - 27 }],
    ["for another address of Ethernet", { toMac: "02:00:00:00:00:09" }],
    ["for everybody", { toMac: "ff:ff:ff:ff:ff:ff" }],
    ["that is cut off", { bytes: 27 }],
  ])("%s goes through the stack as it is", (_, given) => {
    const { verdict, packet } = send(fromContainer, given);
    expect([verdict, packet.equals(build(given))]).toEqual([PASS, true]);
  });
});

describe("another host's packet", () => {
  test("comes to the container from the gateway", () => {
    const { verdict, packet } = send(fromHost, { from: REMOTE, to: OWN });
    expect([verdict, packet.toString("hex", 0, 12), packet.readUInt8(22)]).toEqual([REDIRECT, "02420a1e011202eeeeeeeeee", 63]);
  });

  test.each<[string, Packet]>([
    ["from a pinned address", { from: PINNED, fromMac: "02:f1:00:00:00:03" }],
    ["to a replica's port", { protocol: 6, port: OWN_REPLICA }],
  ])("%s takes the shortcut", (_, packet) => {
    expect(incoming(packet)).toBe(REDIRECT);
  });

  test.each<[string, Packet]>([
    ["from a host that is not of the network", { fromMac: "02:f1:00:00:00:09" }],
    ["from no host at all", { fromMac: "02:42:00:00:00:02" }],
    ["in the name of a container of this host", { from: NEIGHBOUR }],
    ["from outside the network", { from: "192.0.2.1" }],
    ["from a replica's port, which may be an answer to a service's caller", { protocol: 6, sourcePort: OWN_REPLICA }],
    ["from the dead", { from: DEAD }],
    ["from the isolated", { from: ISOLATED }],
    ["to a container that is not here", { to: "10.30.1.21" }],
    ["to a third host", { to: PINNED }],
    ["to a block of a third host", { to: "10.30.1.100" }],
    ["to an address of a service", { to: VIP, protocol: 6, port: 80 }],
  ])("%s goes through the stack", (_, packet) => {
    expect(incoming(packet)).toBe(PASS);
  });
});
