// The reboot test of the overlay: fifty times a host loses its power. Everything of it that is not on disk goes (processes, namespaces,
// links, tables, neighbours, mounts, the run directory), then it boots and has to have its network from its own data alone: there is
// no control plane. The rest of an agent is left out, which makes fifty of them cheap; whole hosts reboot in `npm run soak`.
import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { sampleNetwork } from "@flotilla/protocol/sample-network";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../agent/src/host/run.ts";
import { hostConfig, hostEnvironment, hostNames, labDirectory, type LabPlan, nodeAddress, SWITCH_NODE, writePlan } from "../lab/lab-plan.ts"; // prettier-ignore
import { Lab, planLab } from "../lab/lab.ts";
import { findInNode, inNode, killNode, startNode } from "../lab/nodes.ts";
import { unwireNode, wireNode, wireSwitch } from "../lab/wiring.ts";

const REBOOTS = 50;
/** Of each host that has come back, from its first moment on. */
const PINGS = 20;
const AGENT = join(import.meta.dirname, "reboot-agent.ts");
const CONTAINER = "c0".repeat(32);
let plan: LabPlan;
const ref = (node: string) => ({ lab: plan.name, node });
const numberOf = (host: string): number => Number(host.slice(1));
const containerOf = (host: string): string => `10.30.1.${numberOf(host) * 16 + 1}`;

/** @returns when its container is on the network, with the address that it has there. */
async function boot(host: string, isFirst = false): Promise<string> {
  await startNode(ref(host));
  await wireNode(plan, host);
  const argv = [process.execPath, "--disable-warning=ExperimentalWarning", AGENT, ...(isFirst ? [networkFile(host)] : [])];
  const [file, ...args] = inNode(ref(host), argv);
  const env = { PATH: process.env["PATH"], ...hostEnvironment(plan, host) };
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"], env });
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`the agent of ${host} ended`);
}

async function powerOff(host: string): Promise<void> {
  await killNode(ref(host));
  await unwireNode(plan, host);
  rmSync(hostConfig(plan, host).runDir, { recursive: true, force: true });
}

const networkFile = (host: string): string => join(labDirectory(plan.name), `${host}.json`);

/** Pings from the container of h1 to that of another host. @returns a count of what was sent and what came back. */
async function ping(to: string, ...options: string[]): Promise<{ sent: number; received: number }> {
  const netns = join(hostConfig(plan, "h1").runDir, "netns", CONTAINER);
  const argv = inNode(ref("h1"), ["nsenter", `--net=${netns}`, "ping", "-q", "-W", "1", ...options, containerOf(to)]);
  const { stdout } = await run({ argv, okExitCodes: [0, 1], timeoutMs: 120_000 });
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? [];
  return { sent: Number(sent), received: Number(received) };
}

beforeAll(async () => {
  plan = await planLab(`rb${process.pid}`, { hostCount: 3, hasControl: false });
  writePlan(plan);
  await startNode(ref(SWITCH_NODE));
  await wireSwitch(plan);
  const hosts = hostNames(plan).map((host) => ({ number: numberOf(host), underlay: nodeAddress(plan, host), tunnels: [] }));
  for (const host of hostNames(plan)) {
    writeFileSync(networkFile(host), JSON.stringify({ ...sampleNetwork(3, { hosts }), self: numberOf(host) }));
    expect(await boot(host, true)).toBe(containerOf(host));
  }
});

afterAll(() => Lab.remove(plan.name));

test.each(["h2", "h3"])(`a host that loses its power ${REBOOTS / 2} times has its network back each time: %s`, async (victim) => {
  const spared = victim === "h2" ? "h3" : "h2";
  expect(await ping(spared, "-c", "3", "-i", "0.01")).toEqual({ sent: 3, received: 3 });
  const beside = ping(spared, "-i", "0.01");
  let lost = 0;
  for (let reboot = 0; reboot < REBOOTS / 2; reboot += 1) {
    await powerOff(victim);
    expect(await boot(victim)).toBe(containerOf(victim));
    const { sent, received } = await ping(victim, "-c", String(PINGS), "-i", "0.002");
    expect(sent).toBe(PINGS);
    lost += sent - received;
  }
  for (const pid of findInNode(ref("h1"), new RegExp(`^ping.*${containerOf(spared)}`))) process.kill(pid, "SIGINT");
  const { sent, received } = await beside;
  process.stdout.write(
    `[overlay reboot] ${victim} ${REBOOTS / 2} times: ${lost} of ${(REBOOTS / 2) * PINGS} pings to it lost after its boot, ${sent - received} of ${sent} between the others\n`,
  );
  expect({ lost, besideLost: sent - received }).toEqual({ lost: 0, besideLost: 0 });
});
