import type { Encryption } from "@flotilla/protocol";
import type { Capability, TunnelDevice, Wireguard } from "./wireguard.ts";

/** WireGuard for unit tests: devices as a map, everything asked of it as text. */
export class FakeWireguard implements Wireguard {
  readonly devices = new Map<string, TunnelDevice & { config: string }>();
  readonly transcript: string[] = [];
  readonly #encryption: Encryption;

  constructor(encryption: Encryption = "none") {
    this.#encryption = encryption;
  }

  async capability(): Promise<Capability> {
    return { encryption: this.#encryption, lack: this.#encryption === "none" ? "device" : null };
  }

  async ensure(device: TunnelDevice, config: string): Promise<void> {
    this.transcript.push(`ensure ${device.name}`);
    this.devices.set(device.name, { ...device, config });
  }

  async route(prefix: string, name: string): Promise<void> {
    this.transcript.push(`route ${prefix} dev ${name}`);
  }

  async list(prefix: string): Promise<string[]> {
    return [...this.devices.keys()].filter((name) => name.startsWith(prefix));
  }

  async remove(name: string): Promise<void> {
    this.transcript.push(`remove ${name}`);
    this.devices.delete(name);
  }
}
