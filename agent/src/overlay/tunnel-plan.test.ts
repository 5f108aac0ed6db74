import type { NetworkState } from "@flotilla/protocol";
import { describe, expect, test } from "vitest";
import { sampleInput, sampleState } from "./fixture.ts";
import { formatObject } from "../host/kernel-objects.ts";
import { planMtu, planObjects } from "./router-plan.ts";
import { BOTH_MS, formatTunnel, KEY_LIFE_MS, planPeers, planRotation, vxlanAddress, type TunnelKey } from "./tunnel-plan.ts";
import { formatUnderlayTable } from "./underlay-table.ts";

const keyOf = (letter: string): string => `${letter.repeat(43)}=`;
const tunnel = (slot: number, letter: string) => ({ slot, port: 51_871 + slot, publicKey: keyOf(letter) });
const hosts: NetworkState["hosts"] = [
  { number: 1, underlay: "10.99.0.1", tunnels: [tunnel(0, "A")] },
  { number: 2, underlay: "10.99.0.2", tunnels: [tunnel(1, "C"), tunnel(0, "B")] },
  { number: 3, underlay: "10.99.0.3", tunnels: [] },
];
const secret = (change: Partial<NetworkState> = {}): NetworkState => sampleState({ isEncrypted: true, hosts, ...change });

describe("planRotation", () => {
  const NOW = 10 * KEY_LIFE_MS;
  const plan = (...ages: [slot: number, ageMs: number][]) =>
    planRotation(ages.map(([slot, ageMs]): TunnelKey => ({ slot, madeAtMs: NOW - ageMs })), NOW); // prettier-ignore

  test("makes a first key, and keeps it for a day", () => {
    expect(plan()).toEqual({ create: 0, active: undefined, remove: [] });
    expect(plan([0, KEY_LIFE_MS - 1])).toEqual({ create: undefined, active: 0, remove: [] });
    expect(plan([1, KEY_LIFE_MS])).toEqual({ create: 0, active: 1, remove: [] });
  });

  test("sends by the old key until all know the new one, and understands the old one as long again", () => {
    expect(plan([0, KEY_LIFE_MS], [1, BOTH_MS - 1])).toEqual({ create: undefined, active: 0, remove: [] });
    expect(plan([0, KEY_LIFE_MS], [1, BOTH_MS])).toEqual({ create: undefined, active: 1, remove: [] });
    expect(plan([0, KEY_LIFE_MS], [1, 2 * BOTH_MS])).toEqual({ create: undefined, active: 1, remove: [0] });
  });

  test("a clock that went back by a day or more replaces the key", () => expect(plan([0, -KEY_LIFE_MS]).create).toBe(1));
});

describe("planPeers", () => {
  test("are the tunnels of the others, each with the address that is its own", () => {
    expect(planPeers([secret(), secret({ vni: 4098 }), sampleState()])).toEqual([
      { publicKey: keyOf("B"), endpoint: "10.99.0.2:51871", allowedAddress: "fd66:6c74:6e6c:0::0:2" },
      { publicKey: keyOf("C"), endpoint: "10.99.0.2:51872", allowedAddress: "fd66:6c74:6e6c:1::0:2" },
    ]);
    expect(planPeers([secret({ hosts: hosts.map((host) => ({ ...host, underlay: `fd99::${host.number}` })) })])[0]?.endpoint).toBe("[fd99::2]:51871"); // prettier-ignore
  });

  test("are none of networks in the clear", () => expect(planPeers([sampleState({ hosts })])).toEqual([]));
});

test("formatTunnel is wg(8)'s configuration", () => {
  expect(formatTunnel({ privateKey: keyOf("P"), port: 51_871 }, planPeers([secret()]).slice(0, 1))).toBe(
    `[Interface]\nPrivateKey = ${keyOf("P")}\nListenPort = 51871\n\n[Peer]\nPublicKey = ${keyOf("B")}\nEndpoint = 10.99.0.2:51871\nAllowedIPs = fd66:6c74:6e6c:0::0:2/128\n`,
  );
});

describe("an encrypted network", () => {
  test("never names an underlay address; a host without a tunnel is not sent to", () => {
    const lines = planObjects(sampleInput({ state: secret() }))
      .map(formatObject)
      .filter((line) => line.startsWith("fdb"));
    expect(lines).toEqual([expect.stringContaining("dst fd66:6c74:6e6c:1::2")]);
    expect(hosts.map((host) => vxlanAddress(secret(), host))).toEqual(["fd66:6c74:6e6c:0::0:1", "fd66:6c74:6e6c:1::0:2", undefined]);
    expect(hosts.map((host) => vxlanAddress(sampleState(), host))).toEqual(hosts.map(({ underlay }) => underlay));
  });

  test("leaves room for both envelopes", () => {
    expect(planMtu(secret(), 1500)).toBe(1370);
    expect(planMtu(secret({ hosts: hosts.map((host) => ({ ...host, underlay: `fd99::${host.number}` })) }), 1500)).toBe(1350);
  });

  test("has doors that open into tunnels only, both ways", () => {
    const text = formatUnderlayTable("1a2b3c4d", [secret(), sampleState({ id: "plain", vni: 4098, hosts })]);
    expect(text).toContain("set sealed {\n    typeof udp dport . @th,96,24\n    elements = { 4789 . 4097 }");
    // Probes of hosts are no packets of a network.
    expect(text.match(/@th,64,32 1179406418 notrack accept\n    udp dport \. @th,96,24 @sealed/g)?.length).toBe(2);
    for (const link of ["iifname", "oifname"]) expect(text).toContain(`@sealed ${link} != "fw1a2b3c-*" drop`);
    // The plain network's host is let in by its own address, the encrypted one's by those of its tunnels.
    expect(text).toContain("4789 . 4097 . fd66:6c74:6e6c:1::2, 4789 . 4097 . fd66:6c74:6e6c::2");
    expect(text).toContain("elements = { 4789 . 4098 . 10.99.0.2");
    expect(text).not.toContain("4789 . 4097 . 10.");
  });
});
