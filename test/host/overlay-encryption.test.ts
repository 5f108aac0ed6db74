// Test 25 of the overlay's plan: no clear packet on the wire, and none at all when the tunnel is gone. With wireguard-go,
// since not every machine that tests has WireGuard in its kernel.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { sampleNetwork, sampleUnderlay, type SharedNetworkState } from "@flotilla/protocol/sample-network";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BOTH_MS, KEY_LIFE_MS } from "../../agent/src/overlay/tunnel-plan.ts";
import { OverlayLab, type LabContainer } from "./overlay-lab.ts";

const VNI = 4097;
const HOSTS = [1, 2];
let lab: OverlayLab;
let a: LabContainer;
let b: LabContainer;

const report = (name: string, text: string): void => void process.stdout.write(`[overlay ${name}] ${text}\n`);

/** The network as the control plane says it to each host now, with everybody's tunnels. */
async function network(): Promise<SharedNetworkState> {
  const hosts = [];
  for (const number of HOSTS) hosts.push({ number, underlay: sampleUnderlay(number), tunnels: (await lab.tunnels(number)).published });
  return sampleNetwork(2, { isEncrypted: true, hosts });
}
const tell = async (): Promise<void> => lab.network(await network(), HOSTS);

/** Packets of VXLAN in the clear that a host's uplink has seen, as its own firewall counts them. */
const countClear = (number: number): Promise<string> =>
  lab.nft(
    lab.host(number).path,
    "add table netdev spy { chain in { type filter hook ingress device eth0 priority 0; udp dport 4789 counter; } ; }\n",
  );
const clearSeen = async (number: number): Promise<number> =>
  Number(/packets (\d+)/.exec(await lab.nft(lab.host(number).path, "list table netdev spy\n"))?.[1]);
const tunnelPackets = async (number: number): Promise<number> => {
  const { stdout } = await lab.exec(lab.host(number).path, ["cat", "/proc/self/net/dev"]);
  return [...stdout.matchAll(/fw[^:]*:\s*\d+\s+(\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0);
};

/** Packets that came out of a host's VXLAN device. */
const receivedByRouter = async (number: number): Promise<number> => {
  const { stdout } = await lab.exec(lab.router(number, VNI).path, ["cat", "/proc/self/net/dev"]);
  return Number(/vx0:\s*\d+\s+(\d+)/.exec(stdout)?.[1]);
};

beforeAll(async () => {
  lab = new OverlayLab();
  await lab.up(3);
  await tell();
  a = await lab.container(1, VNI, { name: "a", address: "10.30.1.18" });
  b = await lab.container(2, VNI, { name: "b", address: "10.30.1.34" });
  await lab.serve(b.path, 8080, "b");
  for (const number of HOSTS) await countClear(number);
});
afterAll(() => lab.close());

describe("25: an encrypted network", () => {
  test("carries packets of both families, to the last byte of its MTU, and none in the clear", async () => {
    expect(await lab.ask(a.path, { protocol: "tcp", address: b.address, port: 8080 })).toContain("saw 10.30.1.18");
    expect(await lab.pings(a.path, b.address6)).toBe(true);
    expect([await lab.pings(a.path, b.address, 1370 - 28), await lab.pings(a.path, b.address, 1370 - 27)]).toEqual([true, false]);
    const tunnelled = await tunnelPackets(2);
    expect(tunnelled).toBeGreaterThan(0);
    expect([await clearSeen(1), await clearSeen(2)]).toEqual([0, 0]);
    report("25", `${tunnelled} packets through the tunnel, 0 in the clear`);
  });

  test("takes nothing that comes in the clear, as from one who knows VNI and addresses", async () => {
    const rules = await lab.nft(lab.host(2).path, "list ruleset\n");
    expect(rules).toContain('iifname != "fw0e57a2-*" drop');
    const [before, received] = [await clearSeen(2), await receivedByRouter(2)];
    // From a third host: the two of the network let nothing out either.
    const envelope = "08000000001001000000".padEnd(100, "0");
    await lab.exec(lab.host(3).path, [process.execPath, "-e", `require("dgram").createSocket("udp4").send(Buffer.from("${envelope}","hex"),4789,"${sampleUnderlay(2)}",()=>process.exit())`]); // prettier-ignore
    await expect.poll(() => clearSeen(2)).toBe(before + 1);
    expect(await receivedByRouter(2)).toBe(received);
  });

  test("replaces its keys under traffic", async () => {
    const host = lab.host(1);
    const tunnels = await lab.tunnels(1);
    const old = tunnels.published[0]?.publicKey;
    const count = await lab.count(a.path, { protocol: "udp", address: b.address, port: 8080 }, async () => {
      for (const ageMs of [KEY_LIFE_MS, BOTH_MS, BOTH_MS]) {
        host.nowMs += ageMs;
        tunnels.rotate();
        await tell();
      }
    });
    report("25", `keys replaced: ${count.failed} of ${count.sent} datagrams lost`);
    expect(tunnels.published.map(({ publicKey }) => publicKey)).not.toContain(old);
    expect(await lab.pings(a.path, b.address)).toBe(true);
    expect([await clearSeen(1), await clearSeen(2)].reduce((sum, seen) => sum + seen, 0)).toBeLessThanOrEqual(1);
  });

  test("fails closed when its device goes, and works again when it is back", async () => {
    const before = await clearSeen(2);
    const name = (await lab.exec(lab.host(1).path, ["ip", "-br", "link"])).stdout.match(/^fw\S+/m)?.[0] ?? "";
    // Somewhere to go in the clear, if anything would let it.
    await lab.ip(lab.host(1).path, [`route add default via ${sampleUnderlay(2, 6)} dev eth0`, `link delete ${name}`]);
    expect(await lab.pings(a.path, b.address)).toBe(false);
    expect(await clearSeen(2)).toBe(before);
    const tunnels = await lab.tunnels(1);
    expect(await tunnels.isIntact()).toBe(false);
    await tunnels.ensure([...lab.host(1).states.values()], () => 1500);
    await expect.poll(() => lab.pings(a.path, b.address)).toBe(true);
    expect(await clearSeen(2)).toBe(before);
  });

  test("keeps private keys in files of root alone, and in no argument of a program", () => {
    const files = execFileSync("find", [lab.root, "-name", "fw*.conf", "-printf", "%m %p\n"], { encoding: "utf8" }).trim().split("\n");
    expect(files.length).toBeGreaterThanOrEqual(2);
    for (const line of files) {
      const [mode, path = ""] = line.split(" ");
      expect(mode).toBe("600");
      expect(readFileSync(path, "utf8")).toMatch(/^PrivateKey = \S{44}$/m);
    }
  });
});
