// A machine in a machine for network tests: managers with instances of their own, and a namespace that stands for the
// outside world, joined to the host by a link of its own.
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { silentLogger } from "@flotilla/core";
import { readConfig, type AgentConfig } from "../../agent/src/config.ts";
import type { AttachRequest } from "../../agent/src/engine/ports.ts";
import { EventBus } from "../../agent/src/events/bus.ts";
import { createNetns, removeNetns } from "../../agent/src/host/netns.ts";
import { run } from "../../agent/src/host/run.ts";
import { createNetworkManager, type Networks } from "../../agent/src/network/network-manager.ts";
import { Database } from "../../agent/src/store/database.ts";
import { leftBetween, readMachineState, type MachineState } from "../support/leftovers.ts";
import { COMPILE_CACHE } from "../support/compile-cache.ts";
import { PATIENCE_MS } from "./patience.ts";

const PROBE = join(import.meta.dirname, "network-probe.ts");

export const OUTSIDE_ADDRESS = "198.18.77.2";
export const HOST_ADDRESS = "198.18.77.1";

export type Instance = { config: AgentConfig; networks: Networks; events: EventBus; db: Database };

export class NetworkLab {
  readonly root = mkdtempSync(join(tmpdir(), "flotilla-net-"));
  readonly outside = join(this.root, "outside");
  readonly #children: ChildProcess[] = [];
  readonly #instances: Instance[] = [];
  readonly #killers = new Map<string, AbortController>();
  readonly #link = `tl${randomBytes(4).toString("hex")}`;

  /**
   * An agent's network part with directories, and so names, of its own. Reopening by name is a restart after a kill -9: the one
   * before does nothing any more, and has tidied nothing up.
   */
  open(name: string): Instance {
    this.#killers.get(name)?.abort();
    const killer = new AbortController();
    this.#killers.set(name, killer);
    const config = readConfig({
      ...COMPILE_CACHE,
      FLOTILLA_DATA: join(this.root, name, "data"),
      FLOTILLA_RUN: join(this.root, name, "run"),
    });
    const db = new Database(join(this.root, `${name}.sqlite`));
    const events = new EventBus();
    const instance = {
      config,
      db,
      events,
      networks: createNetworkManager({ config, db, events, logger: silentLogger, killed: killer.signal }),
    };
    this.#instances.push(instance);
    return instance;
  }

  async joinOutside(): Promise<void> {
    createNetns(this.outside, () => undefined);
    const ip = (...args: string[]) => run({ argv: ["ip", ...args] });
    await ip("link", "add", this.#link, "type", "veth", "peer", "name", "up0", "netns", this.outside);
    await ip("addr", "add", `${HOST_ADDRESS}/30`, "dev", this.#link);
    await ip("link", "set", this.#link, "up");
    const far = (...args: string[]) => run({ argv: ["nsenter", `--net=${this.outside}`, "ip", ...args] });
    await far("addr", "add", `${OUTSIDE_ADDRESS}/30`, "dev", "up0");
    await far("link", "set", "up0", "up");
    await far("link", "set", "lo", "up");
  }

  /** Starts a server inside a namespace ("" is the host) and waits until it listens. */
  async serve(netns: string, what: { protocol: "tcp" | "udp"; port: number; name: string }): Promise<void> {
    const [file, ...args] = inside(netns, ["serve", what.protocol, String(what.port), what.name]);
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    await new Promise<void>((resolve, reject) => {
      child.stdout?.once("data", () => resolve());
      child.once("exit", (code) => reject(new Error(`probe ended with ${code}`)));
      child.once("error", reject);
    });
  }

  /** Sends datagrams from one port without pause until the lab closes; what came back so far, each new answer once. */
  async insist(netns: string, what: { address: string; port: number }): Promise<string[]> {
    const answers: string[] = [];
    const [file, ...args] = inside(netns, ["insist", "udp", what.address, String(what.port)]);
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    await new Promise<void>((resolve, reject) => {
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        answers.push(...text.split("\n").filter((line) => line !== "" && line !== "ready"));
        resolve();
      });
      child.once("error", reject);
    });
    return answers;
  }

  /** Asks from inside a namespace; what came back, or `no answer: WHY`. */
  async ask(netns: string, what: { protocol: "tcp" | "udp"; address: string; port: number }, patienceMs = PATIENCE_MS): Promise<string> {
    const { stdout } = await run({ argv: inside(netns, ["ask", what.protocol, what.address, String(what.port), String(patienceMs)]) });
    return stdout.trim();
  }

  /** Mounts, links and tables that were not there before, of this lab alone: others may work on the machine. */
  async objectsSince(before: MachineState): Promise<string[]> {
    const instances = this.#instances.flatMap(({ config }) => [config.instance, config.instance.slice(0, 6)]);
    const isOurs = (line: string): boolean => [this.root, this.#link, ...instances].some((name) => line.includes(name));
    return leftBetween(before, await readMachineState()).filter((line) => /^(mounts|links|tables): /.test(line) && isOurs(line));
  }

  /** The same when the kernel has had ten seconds to finish. */
  async leftovers(before: MachineState): Promise<string[]> {
    for (let left = 100; ; left -= 1) {
      const lines = await this.objectsSince(before);
      if (lines.length === 0 || left === 0) return lines;
      await setTimeout(100);
    }
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all(this.#children.map(ended));
    for (const { networks } of this.#instances) {
      await networks.reconcile([]).catch(() => undefined);
      await networks.close().catch(() => undefined);
    }
    removeNetns(this.outside);
    // It goes with the namespace of its other end, in the kernel's own time: before this, or while this is at it.
    await run({ argv: ["ip", "link", "delete", this.#link], okExitCodes: [0, 1, 2] });
    for (const { db } of this.#instances) db.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

function inside(netns: string, probeArgs: string[]): [string, ...string[]] {
  const probe: [string, ...string[]] = [process.execPath, PROBE, ...probeArgs];
  return netns === "" ? probe : ["nsenter", `--net=${netns}`, ...probe];
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once("exit", resolve));
}

/** A container on the default bridge of its namespace. */
export function containerRequest(containerId: string, change: Partial<AttachRequest> = {}): AttachRequest {
  return {
    namespace: "default",
    containerId,
    hostname: containerId,
    endpoints: [{ networkName: "bridge", aliases: [] }],
    ports: [],
    ...change,
  };
}
