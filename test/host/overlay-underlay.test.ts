// What happens below an overlay network: underlays of either family and any width, hosts that are replaced or get another
// address, and hosts that lose everything again and again.
import { readdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { NetworkState } from "@flotilla/protocol";
import { sampleNetwork, sampleUnderlay as underlay } from "@flotilla/protocol/sample-network";
import { afterEach, describe, expect, test } from "vitest";
import { type LabContainer, OverlayLab } from "./overlay-lab.ts";

const VNI = 4097;
const PORT = 8080;
const report = (number: string, text: string): void => void process.stdout.write(`[overlay ${number}] ${text}\n`);

let lab: OverlayLab;
afterEach(() => lab.close());

async function twoHosts(change: Partial<NetworkState>, mtuBytes = 1500, count = 2): Promise<[LabContainer, LabContainer]> {
  lab = new OverlayLab();
  await lab.up(count, { mtuBytes });
  await lab.network(sampleNetwork(2, change), [1, 2]);
  const a = await lab.container(1, VNI, { name: "a", address: "10.30.1.18" });
  return [a, await lab.container(2, VNI, { name: "b", address: "10.30.1.34" })];
}

describe("1, 2: packets of exactly the MTU pass and no larger one", () => {
  const hostsOf = (family: 4 | 6): NetworkState["hosts"] =>
    [1, 2].map((number) => ({ number, underlay: underlay(number, family), tunnels: [] }));

  test.each([
    [4, 1400, 1350],
    [4, 9000, 8950],
    [6, 1500, 1430],
    [6, 9000, 8930],
  ] as const)("over IPv%i with an underlay of %i bytes: %i", async (family, width, mtuBytes) => {
    const [a, b] = await twoHosts({ hosts: hostsOf(family), mtuBytes }, width);
    expect(await lab.pings(a.path, b.address, mtuBytes - 28)).toBe(true);
    expect(await lab.pings(a.path, b.address, mtuBytes - 27)).toBe(false);
    expect(await lab.pings(a.path, b.address6)).toBe(true);
    report("1, 2", `IPv${family} underlay of ${width}: ${mtuBytes} passes, ${mtuBytes + 1} does not`);
  });

  test("a network that is wider than the underlay goes on in fragments", async () => {
    const [a, b] = await twoHosts({ mtuBytes: 1480 });
    expect(await lab.pings(a.path, b.address, 1450 - 28)).toBe(true);
    expect(await lab.pings(a.path, b.address, 1480 - 28)).toBe(true);
  });
});

test("14: a host that is replaced has another number, and nothing reaches the one before", async () => {
  const [a] = await twoHosts({}, 1500, 3);
  const replaced = sampleNetwork(2, {
    hosts: [
      { number: 1, underlay: underlay(1, 4), tunnels: [] },
      { number: 3, underlay: underlay(2, 4), tunnels: [] },
    ],
    blocks: [
      { host: 1, cidr: "10.30.1.16/28" },
      { host: 3, cidr: "10.30.1.32/28" },
    ],
  });
  const old = lab.router(2, VNI);
  await lab.network(replaced, [1]);
  // The old router still answers to its own number alone.
  expect(await lab.pings(a.path, "10.30.1.34")).toBe(false);
  await lab.networkAs(2, replaced, 3);
  expect(lab.router(2, VNI).path).toBe(old.path);
  expect(await lab.pings(a.path, "10.30.1.34")).toBe(true);
});

test("27: a host whose underlay address changes is reached at the new one", async () => {
  const [a, b] = await twoHosts({});
  await lab.serve(b.path, PORT, "b");
  await lab.ip(lab.host(2).path, [`addr del ${underlay(2, 4)}/24 dev eth0`, "addr add 10.99.0.22/24 dev eth0"]);
  const moved = sampleNetwork(2, { hosts: [{ number: 1, underlay: underlay(1, 4), tunnels: [] }, { number: 2, underlay: "10.99.0.22", tunnels: [] }] }); // prettier-ignore
  const count = await lab.count(a.path, { protocol: "udp", address: b.address, port: PORT }, async () => {
    await lab.network(moved, [1, 2]);
    await setTimeout(300);
  });
  report("27", `${count.failed} of ${count.sent} datagrams lost at one each 2 ms`);
  // The old address was gone before the first datagram; how many there are is the machine's pace.
  expect(count.ok).toBeGreaterThan(0);
  expect(await lab.pings(a.path, b.address)).toBe(true);
});

test("a hundred networks on a host keep no descriptor open and cost the same each", async () => {
  await twoHosts({});
  const descriptors = (): number => readdirSync("/proc/self/fd").length;
  const before = descriptors();
  const perNetworkMs: number[] = [];
  for (let index = 0; index < 100; index += 1) {
    const startedAt = performance.now();
    await lab.network(sampleNetwork(2, { vni: 7_000 + index, isInternal: true, id: (7_000 + index).toString(16).padStart(64, "0") }), [1]);
    perNetworkMs.push(performance.now() - startedAt);
  }
  const mean = (list: readonly number[]): number => list.reduce((sum, ms) => sum + ms, 0) / list.length;
  report("scale", `100 networks: ${mean(perNetworkMs.slice(0, 50)).toFixed(1)} ms each of the first half, ${mean(perNetworkMs.slice(50)).toFixed(1)} ms of the second`); // prettier-ignore
  // Those of the last few linger for a second.
  expect(descriptors()).toBeLessThanOrEqual(before + 100);
  await expect.poll(descriptors, { timeout: 10_000 }).toBeLessThanOrEqual(before + 2);
});
