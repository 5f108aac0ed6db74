import { mkdirSync, rmSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { startAgent } from "@flotilla/agent";
import { AGENT_NODE_ENV, AGENT_NODE_FLAGS, type AgentConfig, readConfig } from "@flotilla/agent/config";
import { joinControlPlane } from "@flotilla/agent/join";
import { FlotillaError, silentLogger } from "@flotilla/core";
import type { Output } from "../output.ts";
import { VERSION } from "../paths.ts";
import { agentMain } from "../bundle/agent-program.ts";
import { SupervisedProcess } from "../up/supervised-process.ts";
import { isServed } from "../up/up.ts";

export type JoinOptions = { token: string; name?: string; run: boolean };

/** Makes this machine a host of a control plane and, unless an agent runs already, runs the agent. */
export async function joinCommand(output: Output, controlUrl: string, options: JoinOptions): Promise<number> {
  const config = readConfig(process.env);
  const joined = await joinControlPlane({
    dataDir: config.dataDir,
    controlUrl,
    token: options.token,
    name: options.name,
    agentVersion: VERSION,
  });
  output.result(`This machine is host ${joined.name} of ${controlUrl}.`, joined);
  if (!options.run || (await isServed(config.socketPath))) return 0;
  return runAgent(output);
}

/** Runs the agent until it is told to end; containers run on. */
export async function runAgent(output: Output): Promise<number> {
  const { compileCacheDir } = readConfig(process.env);
  mkdirSync(compileCacheDir, { recursive: true, mode: 0o700 });
  const agentModule = await agentMain((text) => output.note(text));
  return new Promise((resolve) => {
    const agent = new SupervisedProcess({
      name: "the agent",
      argv: [...AGENT_NODE_FLAGS, agentModule],
      env: { ...AGENT_NODE_ENV, NODE_COMPILE_CACHE: compileCacheDir },
      note: (text) => output.note(text),
      onEnd: ({ code, ranMs }) => {
        // One that ends at once cannot start at all; its log says why.
        if (ranMs > 5_000) return true;
        resolve(code ?? 1);
        return false;
      },
    });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void agent.stop().then(() => resolve(0)));
    agent.start();
  });
}

/**
 * Removes everything that this machine's agent has made: containers, volumes, images, networks, its data. The agent must not run.
 * @throws forbidden without a confirmation, conflict while the agent runs.
 */
export async function uninstallAgent(output: Output, options: { yes: boolean }): Promise<void> {
  const config = readConfig(process.env);
  if (await isServed(config.socketPath)) throw new FlotillaError("conflict", "the agent runs: stop it first");
  if (!options.yes && !(await confirm(`Remove all containers, images and volumes below ${config.dataDir}?`)))
    throw new FlotillaError("forbidden", "nothing was removed");
  const containers = await removeContainers(config);
  for (const path of [config.dataDir, config.runDir]) rmSync(path, { recursive: true, force: true });
  output.result(`Removed ${containers} containers and all data of the agent.`, { containers });
}

/** By an engine that answers nobody: what it has in the kernel goes as a running one takes it down. */
async function removeContainers(config: AgentConfig): Promise<number> {
  const agent = await startAgent(config, { logger: silentLogger, productVersion: VERSION, isAlone: true });
  try {
    return await agent.removeContainers();
  } finally {
    await agent.close();
  }
}

async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const line = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test(await line.question(`${question} [y/N] `));
  } finally {
    line.close();
  }
}
