// The lab: several hosts on this machine, each with an agent of its own, on a switch, joined to a real control plane.
// `scripts/lab.ts` is its command; tests use this class. docs/design/lab.md says what a host of a lab is and is not.
import { randomBytes } from "node:crypto";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { run } from "../../agent/src/host/run.ts";
import { runCommand, type CommandOptions, type CommandResult } from "../support/docker.ts";
import {
  agentLog,
  CLI_MAIN,
  hostProcessEnvironment,
  isAgentRunning,
  isEngineAnswering,
  joinHost,
  killAgentOf,
  startAgentOf,
  writeClock,
} from "./agents.ts";
import { removeCgroupsOf } from "./cgroups.ts";
import { callControl, controlLog, ensureCertificates, isControlReady, listControlHosts, startControlNode } from "./control-node.ts";
import type { FileNetworks } from "./file-networks.ts";
import {
  CONTROL_NODE,
  controlUrl,
  hostConfig,
  hostNames,
  labDirectory,
  type LabPlan,
  MACHINE_NODE,
  machineLink,
  nodeAddress,
  nodeAddress6,
  nodeNames,
  readPlan,
  SWITCH_NODE,
  writePlan,
} from "./lab-plan.ts"; // prettier-ignore
import { findInits, inNode, killNode, startNode } from "./nodes.ts";
import { cutNodes, healNodes, listCuts, setLoss, unwireNode, wireNode, wireSwitch } from "./wiring.ts";

export type LabOptions = { hostCount: number; mtuBytes?: number; hasControl?: boolean; hasDashboard?: boolean; hasClocks?: boolean };

export type HostStatus = {
  host: string;
  address: string;
  isOn: boolean;
  isAgentUp: boolean;
  isOnline: boolean | undefined;
  engine: string;
};
export type LabStatus = {
  name: string;
  url: string | undefined;
  adminToken: string;
  adminPassword: string;
  cuts: string[];
  hosts: HostStatus[];
};

const ONLINE_TIMEOUT_MS = 30_000;

export class Lab {
  readonly plan: LabPlan;

  private constructor(plan: LabPlan) {
    this.plan = plan;
  }

  /** Makes a lab and everything in it. A half-made one is taken away again when this fails. @throws when the name is in use. */
  static async up(name: string, options: LabOptions): Promise<Lab> {
    if (readPlan(name) !== undefined || findInits(name).size > 0) throw new Error(`there is a lab ${name} already: take it down first`);
    const lab = new Lab(await planLab(name, options));
    writePlan(lab.plan);
    try {
      await lab.#make();
      return lab;
    } catch (error) {
      await lab.down();
      throw error;
    }
  }

  /** A lab that is there. @throws when there is none of that name. */
  static open(name: string): Lab {
    const plan = readPlan(name);
    if (plan === undefined) throw new Error(`there is no lab ${name}: make it with up`);
    return new Lab(plan);
  }

  /** Removes a lab whatever state it is in, also one whose plan is lost. Idempotent. */
  static async remove(name: string): Promise<void> {
    await Promise.all([...findInits(name).keys()].map((node) => killNode({ lab: name, node })));
    await run({ argv: ["ip", "link", "delete", machineLink(name)], okExitCodes: [0, 1] });
    const plan = readPlan(name);
    if (plan !== undefined) await removeCgroupsOf(hostNames(plan).map((host) => hostConfig(plan, host).instance));
    rmSync(labDirectory(name), { recursive: true, force: true });
  }

  down(): Promise<void> {
    return Lab.remove(this.plan.name);
  }

  get hosts(): string[] {
    return hostNames(this.plan);
  }

  /** Address of a host, `control` or `machine` on the underlay. */
  address(node: string, family: 4 | 6 = 4): string {
    return family === 4 ? nodeAddress(this.plan, node) : nodeAddress6(this.plan, node);
  }

  /** Runs a command in a host (or `control`, `switch`) to its end. */
  async exec(node: string, argv: readonly [string, ...string[]], options: CommandOptions = {}): Promise<CommandResult> {
    return await runCommand(this.argvIn(node, argv), { ...options, env: { ...this.environmentOf(node), ...options.env } });
  }

  /** docker against a host's own engine, from outside. */
  docker(host: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return runCommand(["docker", ...args], { ...options, env: { ...this.environmentOf(host), ...options.env } });
  }

  /** The product's own command on a host, signed in as the administrator. */
  flotilla(host: string, args: readonly string[]): Promise<CommandResult> {
    const env = { FLOTILLA_URL: controlUrl(this.plan), FLOTILLA_TOKEN: this.plan.adminToken };
    return this.exec(host, [process.execPath, "--disable-warning=ExperimentalWarning", CLI_MAIN, ...args], { env, timeoutMs: 120_000 });
  }

  argvIn(node: string, argv: readonly string[]): [string, ...string[]] {
    return inNode({ lab: this.plan.name, node: this.#checked(node) }, argv);
  }

  environmentOf(node: string): Record<string, string> {
    return this.hosts.includes(node) ? hostProcessEnvironment(this.plan, node) : { PATH: process.env["PATH"] ?? "", HOME: "/root" };
  }

  /** Calls a procedure of the control plane as the administrator. */
  query(procedure: string, input?: unknown): Promise<unknown> {
    return callControl(this.plan, "query", procedure, input);
  }

  mutate(procedure: string, input?: unknown): Promise<unknown> {
    return callControl(this.plan, "mutation", procedure, input);
  }

  /** Overlay networks that the hosts are to have, by the lab's own control plane (without the dashboard). */
  setNetworks(networks: FileNetworks): void {
    const file = join(labDirectory(this.plan.name), "networks.json");
    writeFileSync(`${file}.new`, JSON.stringify(networks));
    renameSync(`${file}.new`, file);
  }

  /** Drops everything from one node to another; both ways unless `isOneWay`. */
  async cut(from: string, to: string, isOneWay = false): Promise<void> {
    await cutNodes(this.plan, { from: this.#onSwitch(from), to: this.#onSwitch(to), isOneWay });
  }

  async heal(from: string, to: string, isOneWay = false): Promise<void> {
    await healNodes(this.plan, { from: this.#onSwitch(from), to: this.#onSwitch(to), isOneWay });
  }

  /** Loses frames at random on the whole switch. @param perMille 0 ends it. */
  async lose(perMille: number): Promise<void> {
    if (!Number.isInteger(perMille) || perMille < 0 || perMille > 1000) throw new Error("loss is given per mille: 0 to 1000");
    await setLoss(this.plan, perMille);
  }

  /** Sets the wall clock of a host's agent at once, as a person or an NTP daemon does; what only counts time goes on undisturbed. */
  setClock(host: string, offsetSeconds: number): void {
    if (!this.plan.hasClocks) throw new Error(`hosts of lab ${this.plan.name} have the machine's clock: make it with clocks of their own`);
    writeClock(this.plan, this.#host(host), offsetSeconds);
  }

  killAgent(host: string): Promise<void> {
    return killAgentOf(this.plan, this.#host(host));
  }

  startAgent(host: string): Promise<void> {
    return startAgentOf(this.plan, this.#host(host));
  }

  /** Everything that a host has logged. */
  log(node: string): string {
    return node === CONTROL_NODE ? controlLog(this.plan) : agentLog(this.plan, this.#host(node));
  }

  /** Power off: every process ends, namespaces, links, tables and mounts go; what is volatile is emptied, the data stays. */
  async powerOff(node: string): Promise<void> {
    const name = this.#node(node);
    await killNode({ lab: this.plan.name, node: name });
    await unwireNode(this.plan, name);
    if (name === CONTROL_NODE) return;
    const { runDir, instance } = hostConfig(this.plan, name);
    rmSync(runDir, { recursive: true, force: true });
    await removeCgroupsOf([instance]);
  }

  /** Power on: the same address, the same data; its agent (or the control plane) starts as at boot. */
  async powerOn(node: string): Promise<void> {
    const name = this.#node(node);
    await startNode({ lab: this.plan.name, node: name });
    await wireNode(this.plan, name);
    if (name === CONTROL_NODE) await startControlNode(this.plan);
    else await startAgentOf(this.plan, name);
  }

  async reboot(node: string): Promise<void> {
    await this.powerOff(node);
    await this.powerOn(node);
  }

  /** Waits until the control plane sees a host as online. */
  async untilOnline(host: string): Promise<void> {
    for (const deadline = Date.now() + ONLINE_TIMEOUT_MS; ;) {
      if ((await listControlHosts(this.plan)).some((known) => known.name === host && known.isOnline)) return;
      if (Date.now() > deadline) throw new Error(`${host} does not come online:\n${this.log(host).slice(-3000)}`);
      await setTimeout(50);
    }
  }

  async status(): Promise<LabStatus> {
    const { plan } = this;
    const inits = findInits(plan.name);
    const known = plan.hasControl && (await isControlReady(plan)) ? await listControlHosts(plan) : undefined;
    const hosts = await Promise.all(
      this.hosts.map(async (host) => ({
        host,
        address: nodeAddress(plan, host),
        isOn: inits.has(host),
        isAgentUp: isAgentRunning(plan, host) && (await isEngineAnswering(plan, host)),
        isOnline: known?.some((candidate) => candidate.name === host && candidate.isOnline),
        engine: `unix://${hostConfig(plan, host).socketPath}`,
      })),
    );
    const cuts = inits.has(SWITCH_NODE) ? await listCuts(plan) : [];
    const url = plan.hasControl ? controlUrl(plan) : undefined;
    return { name: plan.name, url, adminToken: plan.adminToken, adminPassword: plan.adminPassword, cuts, hosts };
  }

  async #make(): Promise<void> {
    const { plan } = this;
    await startNode({ lab: plan.name, node: SWITCH_NODE });
    await wireSwitch(plan);
    await Promise.all(
      nodeNames(plan).map(async (node) => {
        await startNode({ lab: plan.name, node });
        await wireNode(plan, node);
      }),
    );
    if (plan.hasControl) {
      await ensureCertificates(plan);
      await startControlNode(plan);
      for (const host of this.hosts) await joinHost(plan, host);
    }
    await Promise.all(this.hosts.map((host) => startAgentOf(plan, host)));
    if (plan.hasControl) await Promise.all(this.hosts.map((host) => this.untilOnline(host)));
  }

  #host(name: string): string {
    if (this.hosts.includes(name)) return name;
    throw new Error(`lab ${this.plan.name} has no host ${name}: it has ${this.hosts.join(", ")}`);
  }

  #node(name: string): string {
    return name === CONTROL_NODE && this.plan.hasControl ? name : this.#host(name);
  }

  #onSwitch(name: string): string {
    return name === MACHINE_NODE ? name : this.#node(name);
  }

  #checked(name: string): string {
    return name === SWITCH_NODE ? name : this.#node(name);
  }
}

const addressList = z.array(z.object({ dst: z.string().optional() }));

/** A lab that nobody has made yet, on a subnet that nobody has. */
export async function planLab(name: string, options: LabOptions): Promise<LabPlan> {
  const { stdout } = await run({ argv: ["ip", "-json", "route"] });
  const routed = new Set(addressList.parse(JSON.parse(stdout === "" ? "[]" : stdout)).map((route) => route.dst));
  const first = randomBytes(1).readUInt8(0);
  const free = Array.from({ length: 256 }, (_, index) => (first + index) % 256).find((byte) => !routed.has(`198.19.${byte}.0/24`));
  if (free === undefined) throw new Error("all 256 subnets of labs are in use");
  return {
    version: 1,
    name,
    hostCount: options.hostCount,
    subnetByte: free,
    mtuBytes: options.mtuBytes ?? 1500,
    hasControl: options.hasControl ?? true,
    hasDashboard: options.hasDashboard ?? false,
    hasClocks: options.hasClocks ?? false,
    adminToken: `flt_${randomBytes(24).toString("hex")}`,
    adminPassword: randomBytes(12).toString("hex"),
  };
}
