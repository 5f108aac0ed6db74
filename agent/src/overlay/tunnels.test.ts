import type { NetworkState } from "@flotilla/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { FakeWireguard } from "../host/fake-wireguard.ts";
import { Database } from "../store/database.ts";
import { sampleState } from "./fixture.ts";
import { BOTH_MS, KEY_LIFE_MS } from "./tunnel-plan.ts";
import { Tunnels } from "./tunnels.ts";

let db: Database;
let wireguard: FakeWireguard;
let nowMs: number;
const other = { slot: 0, port: 51_871, publicKey: `${"B".repeat(43)}=` };
const state = (change: Partial<NetworkState> = {}): NetworkState =>
  sampleState({ isEncrypted: true, hosts: [1, 2].map((number) => ({ number, underlay: `10.99.0.${number}`, tunnels: number === 1 ? [] : [other] })), ...change }); // prettier-ignore
const open = async (): Promise<Tunnels> => {
  const tunnels = new Tunnels({ db, wireguard, instance: "1a2b3c4d", nowMs: () => nowMs });
  await tunnels.open();
  return tunnels;
};
const ensure = (tunnels: Tunnels, ...states: NetworkState[]): Promise<void> => tunnels.ensure(states, () => 1500, false);

beforeEach(() => {
  db = new Database(":memory:");
  wireguard = new FakeWireguard("userspace");
  nowMs = 1_000_000;
});

describe("a host that can encrypt", () => {
  test("has a key of its own, also after a restart, of which the public half alone goes out", async () => {
    const [published] = (await open()).published;
    expect(published).toMatchObject({ slot: 0, port: 51_871, publicKey: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) });
    expect((await open()).published).toEqual([published]);
  });

  test("has a device while there is an encrypted network, and does nothing when nothing changed", async () => {
    const tunnels = await open();
    await ensure(tunnels, sampleState());
    expect(wireguard.devices.size).toBe(0);
    await ensure(tunnels, state());
    expect(wireguard.devices.get("fw1a2b3c-0")).toMatchObject({ address: "fd66:6c74:6e6c:0::0:1", mtuBytes: 1440 });
    expect(wireguard.devices.get("fw1a2b3c-0")?.config).toContain(`PublicKey = ${other.publicKey}`);
    const count = wireguard.transcript.length;
    await ensure(tunnels, state());
    expect(wireguard.transcript.length).toBe(count);
    await ensure(tunnels);
    expect(wireguard.devices.size).toBe(0);
  });

  test("notices a device that is gone", async () => {
    const tunnels = await open();
    await ensure(tunnels, state());
    expect(await tunnels.isIntact()).toBe(true);
    wireguard.devices.clear();
    expect(await tunnels.isIntact()).toBe(false);
  });

  test("replaces its key: first both devices with the old one in use, then the new one, then it alone", async () => {
    const tunnels = await open();
    const [first] = tunnels.published;
    nowMs += KEY_LIFE_MS;
    expect(tunnels.rotate()).toBe(true);
    await ensure(tunnels, state());
    expect([...wireguard.devices.keys()]).toEqual(["fw1a2b3c-0", "fw1a2b3c-1"]);
    expect([tunnels.published[0], tunnels.address(state())]).toEqual([first, "fd66:6c74:6e6c:0::0:1"]);
    nowMs += BOTH_MS;
    await ensure(tunnels, state());
    expect([tunnels.published.map(({ slot }) => slot), tunnels.address(state())]).toEqual([[1, 0], "fd66:6c74:6e6c:1::0:1"]); // prettier-ignore
    expect(wireguard.transcript.at(-1)).toBe("route fd66:6c74:6e6c::/48 dev fw1a2b3c-1");
    nowMs += BOTH_MS;
    expect(tunnels.rotate()).toBe(true);
    await ensure(tunnels, state());
    expect([...wireguard.devices.keys()]).toEqual(["fw1a2b3c-1"]);
  });
});

test("a host that cannot encrypt makes no key and says why it takes no part", async () => {
  wireguard = new FakeWireguard("none");
  const tunnels = await open();
  expect([tunnels.encryption, tunnels.published, tunnels.rotate()]).toEqual(["none", [], false]);
  expect(() => tunnels.address(state())).toThrow("network net is encrypted, which this host cannot");
  await ensure(tunnels, state());
  expect(wireguard.devices.size).toBe(0);
});

test("a host says whether it can encrypt, and what it lacks", async () => {
  const able = await open();
  expect([able.encryption, able.encryptionLack]).toEqual(["userspace", null]);
  wireguard = new FakeWireguard("none");
  const unable = await open();
  expect([unable.encryption, unable.encryptionLack]).toEqual(["none", "device"]);
});
