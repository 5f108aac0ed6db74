// Agents of a lab's hosts: started as a boot does, killed as a crash does.
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { AGENT_NODE_ENV, AGENT_NODE_FLAGS } from "../../agent/src/config.ts";
import { run } from "../../agent/src/host/run.ts";
import { identityPath } from "../../agent/src/link/identity-file.ts";
import { agentMain } from "../../apps/cli/src/bundle/agent-program.ts";
import { createJoinToken } from "./control-node.ts";
import { clockFile, controlUrl, hostConfig, hostDirectory, hostEnvironment, type LabPlan } from "./lab-plan.ts";
import { findInNode, inNode } from "./nodes.ts";

const ROOT = join(import.meta.dirname, "..", "..");
export const CLI_MAIN = join(ROOT, "apps", "cli", "src", "main.ts");
/** `$LIB` is the linker's: lib/x86_64-linux-gnu. */
const FAKETIME = "/usr/$LIB/faketime/libfaketimeMT.so.1";
const AGENT_PROCESS = /agent\/dist\/main\.mjs/;
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 25;

/** Environment of everything that runs in a host; `docker` in it speaks to the host's own engine. */
export function hostProcessEnvironment(plan: LabPlan, host: string): Record<string, string> {
  return {
    PATH: `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`,
    HOME: "/root",
    ...hostEnvironment(plan, host),
    DOCKER_HOST: `unix://${hostConfig(plan, host).socketPath}`,
    DOCKER_CLI_HINTS: "false",
  };
}

/** Makes a host known to the control plane, with the product's own command. A host that joined already keeps its identity. */
export async function joinHost(plan: LabPlan, host: string): Promise<void> {
  if (existsSync(identityPath(hostConfig(plan, host).dataDir))) return;
  const token = await createJoinToken(plan, host);
  const command = [CLI_MAIN, "agent", "join", controlUrl(plan), "--token", token, "--name", host, "--no-run"];
  const argv = inNode({ lab: plan.name, node: host }, [process.execPath, "--disable-warning=ExperimentalWarning", ...command]);
  await run({ argv, env: hostProcessEnvironment(plan, host) });
}

/** Starts the agent and waits until its engine answers. One that runs is left alone. */
export async function startAgentOf(plan: LabPlan, host: string): Promise<void> {
  if (isAgentRunning(plan, host) && (await isEngineAnswering(plan, host))) return;
  mkdirSync(hostDirectory(plan, host), { recursive: true, mode: 0o711 });
  const log = openSync(agentLogFile(plan, host), "a");
  const command = [process.execPath, "--disable-warning=ExperimentalWarning", ...AGENT_NODE_FLAGS, await agentMain()];
  const [file, ...args] = inNode({ lab: plan.name, node: host }, command);
  const env = { ...hostProcessEnvironment(plan, host), ...AGENT_NODE_ENV, ...clockEnvironment(plan, host) };
  const child = spawn(file, args, { env, stdio: ["ignore", log, log], detached: true });
  child.unref();
  closeSync(log);
  for (const deadline = Date.now() + START_TIMEOUT_MS; ;) {
    if (await isEngineAnswering(plan, host)) return;
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`the agent of ${host} does not start:\n${agentLog(plan, host).slice(-3000)}`);
    await setTimeout(POLL_MS);
  }
}

/** @param offsetSeconds from the machine's clock; negative is behind it. */
export function writeClock(plan: LabPlan, host: string, offsetSeconds: number): void {
  if (!Number.isInteger(offsetSeconds)) throw new Error("a clock is set by whole seconds from the machine's");
  const file = clockFile(plan, host);
  writeFileSync(`${file}.new`, `${offsetSeconds < 0 ? "" : "+"}${offsetSeconds}\n`);
  renameSync(`${file}.new`, file);
}

function clockEnvironment(plan: LabPlan, host: string): Record<string, string> {
  if (!plan.hasClocks) return {};
  const file = clockFile(plan, host);
  if (!existsSync(file)) writeClock(plan, host, 0);
  return { LD_PRELOAD: FAKETIME, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1" };
}

/** Ends the agent's process as a crash would; returns when it is gone. Containers run on. */
export async function killAgentOf(plan: LabPlan, host: string, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  const ref = { lab: plan.name, node: host };
  for (const pid of findInNode(ref, AGENT_PROCESS)) process.kill(pid, signal);
  for (const deadline = Date.now() + START_TIMEOUT_MS; findInNode(ref, AGENT_PROCESS).length > 0;) {
    if (Date.now() > deadline) throw new Error(`the agent of ${host} does not end`);
    await setTimeout(POLL_MS);
  }
}

export const isAgentRunning = (plan: LabPlan, host: string): boolean =>
  findInNode({ lab: plan.name, node: host }, AGENT_PROCESS).length > 0;

const agentLogFile = (plan: LabPlan, host: string): string => join(hostDirectory(plan, host), "agent.log");
export const agentLog = (plan: LabPlan, host: string): string => {
  const file = agentLogFile(plan, host);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
};

/** Whether the engine's socket answers a ping. */
export function isEngineAnswering(plan: LabPlan, host: string): Promise<boolean> {
  const { socketPath } = hostConfig(plan, host);
  return new Promise((resolve) => {
    const req = request({ socketPath, path: "/_ping", timeout: 2_000 }, (res) => {
      res.resume();
      resolve(res.statusCode === 200);
    });
    req.on("timeout", () => req.destroy());
    req.on("error", () => resolve(false));
    req.end();
  });
}
