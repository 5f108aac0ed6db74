import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { readMachineState } from "../support/leftovers.ts";
import { NetworkLab } from "./network-lab.ts";

const CHURN = join(import.meta.dirname, "network-churn.ts");
const KILLS = 8;
const STEADY_PORT = 18_100;

let lab: NetworkLab | undefined;

afterEach(() => lab?.close());

/** Runs the churn for a random while after it is ready, then kills it as nothing else can. */
async function churnAndKill(root: string): Promise<void> {
  const dirs = [join(root, "a", "data"), join(root, "a", "run"), join(root, "a.sqlite")];
  const child = spawn(process.execPath, [CHURN, ...dirs], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await Promise.race([
    new Promise((resolve) => child.stdout?.once("data", resolve)),
    ended.then(() => Promise.reject(new Error("churn ended by itself"))),
  ]);
  await setTimeout(Math.random() * 120);
  child.kill("SIGKILL");
  await ended;
}

test("killed at random moments, the next start keeps the running container and nothing else", async () => {
  const before = await readMachineState();
  lab = new NetworkLab();
  for (let kill = 0; kill < KILLS; kill += 1) {
    await churnAndKill(lab.root);
    const instance = lab.open("a");
    await instance.networks.reconcile(["steady"]);
    const names = instance.networks.list("default").flatMap(({ endpoints }) => endpoints.map(({ containerId }) => containerId));
    expect(names).toEqual(["steady"]);
    // Its process would keep the namespace: the server started in the first round is still there, and answers.
    if (kill === 0) await lab.serve(join(instance.config.runDir, "netns", "steady"), { protocol: "tcp", port: 80, name: "steady" });
    expect(await lab.ask("", { protocol: "tcp", address: "127.0.0.1", port: STEADY_PORT })).toMatch(/^steady saw /);
    const inst = instance.config.instance.slice(0, 6);
    const objects = async () => (await lab?.objectsSince(before))?.map((line) => line.replace(/(links: f[lv]\w+)-\w+$/, "$1")).sort();
    await expect
      .poll(objects)
      .toEqual([
        `links: fl${inst}`,
        `links: fv${inst}`,
        `mounts: ${instance.config.runDir}/netns/steady`,
        `tables: ip flotilla_${instance.config.instance}`,
      ]);
    await instance.networks.close();
  }
  const last = lab.open("a");
  await last.networks.reconcile([]);
  await last.networks.close();
  expect(await lab.leftovers(before)).toEqual([]);
});
