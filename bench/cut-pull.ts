import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DockerRegistry, Relay } from "../test/support/docker-registry.ts";
import type { Case } from "./case.ts";
import { makeArchive } from "./registry.ts";

const PART = 0.9;
/** What the sockets held when the line stopped is written in less. */
const SETTLE_MS = 1000;

/** A pull whose agent is killed at 90 %: how much of the image comes over the line once more when it is repeated. */
export const cutPull: Case = async ({ dir: base, flotilla }) => {
  const dir = join(base, "cut-pull");
  mkdirSync(dir);
  const docker = async (...args: string[]): Promise<void> => {
    const { exitCode, stderr } = await flotilla.docker(args, { timeoutMs: 120_000 });
    if (exitCode !== 0) throw new Error(`docker ${args.join(" ")}: ${stderr}`);
  };
  try {
    await using registry = await DockerRegistry.start({ directory: join(dir, "registry") });
    await using relay = await Relay.start(registry.port);
    const [source, image] = [`127.0.0.1:${registry.port}/bench/big:1`, `${relay.host}/bench/big:1`];
    await docker("load", "-i", await makeArchive(dir, source));
    await docker("push", source);
    await docker("rmi", source);
    await docker("pull", image);
    const whole = relay.received;
    await docker("rmi", image);
    relay.holdAfter = relay.received + whole * PART;
    const cut = flotilla.docker(["pull", image], { timeoutMs: 120_000 });
    while (relay.received <= relay.holdAfter) await sleep(50);
    await sleep(SETTLE_MS);
    await flotilla.kill();
    await cut;
    await flotilla.start();
    relay.holdAfter = undefined;
    const before = relay.received;
    await docker("pull", image);
    const again = ((relay.received - before) / whole) * 100;
    await docker("rmi", image);
    return [
      { name: "a pull cut at 90 %, repeated", unit: "% again", flotilla: again, dockerd: undefined, ratio: undefined, target: "≤ 12 %" },
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
};
