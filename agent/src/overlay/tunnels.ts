import { generateKeyPairSync } from "node:crypto";
import { FlotillaError, KeyedLock } from "@flotilla/core";
import { type Encryption, type EncryptionLack, type HostTunnel, type NetworkState, TUNNEL_PREFIX, tunnelAddress } from "@flotilla/protocol";
import { z } from "zod";
import type { Capability, Wireguard } from "../host/wireguard.ts";
import type { Database, Migration } from "../store/database.ts";
import { tunnelName, tunnelPrefix } from "./names.ts";
import { formatTunnel, planPeers, planRotation, tunnelMtu } from "./tunnel-plan.ts";
import { selfOf } from "./router-plan.ts";

/** Keys of this host. They are made here and stay here; the file is root's alone. */
const MIGRATION: Migration = {
  module: "tunnels",
  steps: [
    `CREATE TABLE tunnel_keys (
       slot INTEGER PRIMARY KEY,
       private_key TEXT NOT NULL,
       public_key TEXT NOT NULL,
       made_at_ms INTEGER NOT NULL
     ) STRICT;`,
  ],
};
const Key = z.object({ slot: z.int(), private_key: z.string(), public_key: z.string(), made_at_ms: z.int() });
type Key = z.output<typeof Key>;

/** UDP ports of the two slots. */
const FIRST_PORT = 51_871;

export type TunnelsDeps = { db: Database; wireguard: Wireguard; instance: string; nowMs: () => number };

/** The WireGuard devices of this host. Level-triggered: what they are to be follows from keys, clock and networks. */
export class Tunnels {
  readonly #deps: TunnelsDeps;
  readonly #lock = new KeyedLock();
  #capability: Capability = { encryption: "none", lack: null };
  #loaded = "";

  constructor(deps: TunnelsDeps) {
    this.#deps = deps;
    deps.db.migrate(MIGRATION);
  }

  /** Finds out what this host can do, and makes its first key. */
  async open(): Promise<void> {
    this.#capability = await this.#deps.wireguard.capability();
    this.rotate();
  }

  get encryption(): Encryption {
    return this.#capability.encryption;
  }

  /** What this host lacks to encrypt; null when nothing. */
  get encryptionLack(): EncryptionLack | null {
    return this.#capability.lack;
  }

  /** What the other hosts are to know: the tunnel that this one sends by, and one that it also understands. */
  get published(): HostTunnel[] {
    const { active } = this.#plan();
    return this.#keys()
      .toSorted((a, b) => Number(b.slot === active) - Number(a.slot === active))
      .map(({ slot, public_key: publicKey }) => ({ slot, port: FIRST_PORT + slot, publicKey }));
  }

  /** The address that this host's packets leave from. @throws FlotillaError `invalid` where it cannot encrypt. */
  address(state: NetworkState): string {
    const { active } = this.#plan();
    if (this.encryption === "none" || active === undefined) {
      throw new FlotillaError(
        "invalid",
        `network ${state.name} is encrypted, which this host cannot: neither its kernel nor wireguard-go (packages wireguard-tools, wireguard-go) offers WireGuard`,
      );
    }
    return tunnelAddress(state.self, active);
  }

  /** Makes and removes keys as their age demands. @returns whether anything is another now. */
  rotate(): boolean {
    if (this.encryption === "none") return false;
    const before = JSON.stringify(this.published);
    const { create, remove } = this.#plan();
    const { db, nowMs } = this.#deps;
    for (const slot of remove) db.run("DELETE FROM tunnel_keys WHERE slot = ?", slot);
    if (create !== undefined) {
      const { privateKey, publicKey } = makeKeys();
      db.run(
        "INSERT INTO tunnel_keys (slot, private_key, public_key, made_at_ms) VALUES (?, ?, ?, ?)",
        create,
        privateKey,
        publicKey,
        nowMs(),
      );
    }
    return before !== JSON.stringify(this.published);
  }

  /**
   * Devices for the encrypted ones of these networks; without one there is none.
   * @param isCertain false: only when something differs from the last time.
   */
  async ensure(networks: readonly NetworkState[], underlayMtuBytes: (state: NetworkState) => number, isCertain = true): Promise<void> {
    await this.#lock.run("tunnels", async () => {
      const encrypted = networks.filter((state) => state.isEncrypted);
      const [first] = encrypted;
      const keys = first === undefined || this.encryption === "none" ? [] : this.#keys();
      const peers = planPeers(encrypted);
      const mtuBytes = Math.min(...encrypted.map((state) => tunnelMtu(selfOf(state).underlay, underlayMtuBytes(state))));
      const wanted = JSON.stringify([keys.map(({ public_key: key }) => key), this.#plan().active, first?.self, peers, mtuBytes]);
      if (!isCertain && wanted === this.#loaded) return;
      this.#loaded = "";
      await this.#apply(keys, { peers, mtuBytes, self: first?.self ?? 0 });
      this.#loaded = wanted;
    });
  }

  /** Whether the devices are there. */
  async isIntact(): Promise<boolean> {
    const present = await this.#deps.wireguard.list(tunnelPrefix(this.#deps.instance));
    return this.#loaded === "" || this.#keys().every(({ slot }) => present.includes(tunnelName(this.#deps.instance, slot)));
  }

  async #apply(keys: readonly Key[], wish: { peers: ReturnType<typeof planPeers>; mtuBytes: number; self: number }): Promise<void> {
    const { wireguard, instance } = this.#deps;
    const { active } = this.#plan();
    for (const { slot, private_key: privateKey } of keys) {
      const device = { name: tunnelName(instance, slot), address: tunnelAddress(wish.self, slot), mtuBytes: wish.mtuBytes };
      await wireguard.ensure(device, formatTunnel({ privateKey, port: FIRST_PORT + slot }, wish.peers));
      if (slot === active) await wireguard.route(TUNNEL_PREFIX, device.name);
    }
    const names = keys.map(({ slot }) => tunnelName(instance, slot));
    for (const name of await wireguard.list(tunnelPrefix(instance))) if (!names.includes(name)) await wireguard.remove(name);
  }

  #plan(): ReturnType<typeof planRotation> {
    return planRotation(this.#keys().map(({ slot, made_at_ms: madeAtMs }) => ({ slot, madeAtMs })), this.#deps.nowMs()); // prettier-ignore
  }

  #keys(): Key[] {
    return this.#deps.db.all("SELECT * FROM tunnel_keys ORDER BY slot").map((row) => Key.parse(row));
  }
}

const Jwk = z.object({ d: z.string(), x: z.string() });

/** A pair for X25519, as WireGuard writes keys. */
function makeKeys(): { privateKey: string; publicKey: string } {
  const { d, x } = Jwk.parse(generateKeyPairSync("x25519").privateKey.export({ format: "jwk" }));
  const encode = (text: string): string => Buffer.from(text, "base64url").toString("base64");
  return { privateKey: encode(d), publicKey: encode(x) };
}
