// WireGuard devices, by wg(8) of wireguard-tools and ip(8): the kernel's, or else those of wireguard-go, which is a process
// that survives the agent and takes its device with it when it dies.
import { accessSync, constants, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Encryption, EncryptionLack } from "@flotilla/protocol";
import { MINIMAL_ENV, run } from "./run.ts";

export type TunnelDevice = { name: string; address: string; mtuBytes: number };

/** What a host can do, and what it lacks when that is nothing. */
export type Capability = { encryption: Encryption; lack: EncryptionLack | null };

export type Wireguard = {
  /** What this host can do; asked once. */
  capability(): Promise<Capability>;
  /** Makes the device, if it is not there, with keys and peers from the text, address and MTU. Idempotent. */
  ensure(device: TunnelDevice, config: string): Promise<void>;
  /** Sends everything of a prefix through a device. */
  route(prefix: string, name: string): Promise<void>;
  /** Names of devices that begin so. */
  list(prefix: string): Promise<string[]>;
  remove(name: string): Promise<void>;
};

/** @param options.directory for configurations, which hold keys. @param options.within words before each command: a namespace. */
export function openWireguard(options: { directory: string; within?: readonly string[] }): Wireguard {
  const { directory, within = [] } = options;
  const call = async (argv: readonly string[], more: { stdin?: string; okExitCodes?: number[] } = {}): Promise<string> => {
    const [first = "", ...rest] = [...within, ...argv];
    return (await run({ argv: [first, ...rest], env: ENVIRONMENT, ...more })).stdout;
  };
  let known: Promise<Capability> | undefined;
  const list = async (prefix: string): Promise<string[]> => {
    const text = await call(["ip", "-br", "link", "show"]);
    return text.split("\n").flatMap((line) => line.split(/[\s@]/)[0] ?? "").filter((name) => name.startsWith(prefix)); // prettier-ignore
  };
  const capability = (): Promise<Capability> => (known ??= findCapability(call));
  return {
    capability,
    list,
    ensure: async ({ name, address, mtuBytes }, config) => {
      if (!(await list(name)).includes(name)) {
        if ((await capability()).encryption === "kernel") await call(["ip", "link", "add", name, "type", "wireguard"]);
        else await call(["wireguard-go", name]);
      }
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const path = join(directory, `${name}.conf`);
      writeFileSync(path, config, { mode: 0o600 });
      // Sessions with peers that stay go on.
      await call(["wg", "syncconf", name, path]);
      const lines = [`address replace ${address}/128 dev ${name} nodad`, `link set ${name} mtu ${mtuBytes} up`];
      await call(["ip", "-batch", "-"], { stdin: `${lines.join("\n")}\n` });
    },
    route: async (prefix, name) => {
      await call(["ip", "-batch", "-"], { stdin: `route replace ${prefix} dev ${name}\n` });
    },
    remove: async (name) => {
      rmSync(join(directory, `${name}.conf`), { force: true });
      // The process of a device of wireguard-go ends with it.
      await call(["ip", "link", "delete", name], { okExitCodes: [0, 1] });
    },
  };
}

/** wireguard-go advises against itself where the kernel has its own; it is asked only where the kernel has not. */
const ENVIRONMENT = { ...MINIMAL_ENV, WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: "1" };
const PROBE_DEVICE = "fwprobe0";

async function findCapability(call: (argv: readonly string[], more?: { okExitCodes?: number[] }) => Promise<string>): Promise<Capability> {
  if (!isInstalled("wg")) return { encryption: "none", lack: "tools" };
  try {
    await call(["ip", "link", "add", PROBE_DEVICE, "type", "wireguard"]);
    await call(["ip", "link", "delete", PROBE_DEVICE]);
    return { encryption: "kernel", lack: null };
  } catch {
    const isInUserspace = isInstalled("wireguard-go") && canOpen("/dev/net/tun");
    return isInUserspace ? { encryption: "userspace", lack: null } : { encryption: "none", lack: "device" };
  }
}

const isInstalled = (program: string): boolean =>
  (MINIMAL_ENV["PATH"] ?? "").split(":").some((directory) => canOpen(join(directory, program), constants.X_OK));

function canOpen(path: string, mode = constants.R_OK | constants.W_OK): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
