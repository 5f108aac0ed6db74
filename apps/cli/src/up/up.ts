import type { ChildProcess } from "node:child_process";
import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { AGENT_NODE_ENV, AGENT_NODE_FLAGS, readConfig } from "@flotilla/agent/config";
import { joinControlPlane } from "@flotilla/agent/join";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { z } from "zod";
import type { Output } from "../output.ts";
import { CONTROL_MAIN, CONTROL_NODE_FLAGS, VERSION } from "../paths.ts";
import { packAgent } from "../bundle/agent-bundle.ts";
import { agentMain } from "../bundle/agent-program.ts";
import { ensureDashboard } from "./build-dashboard.ts";
import { SupervisedProcess } from "./supervised-process.ts";

/** What the control plane says when it is ready (apps/control/src/server/main.ts). */
const readyMessage = z.object({
  type: z.literal("ready"),
  url: z.url(),
  publicUrl: z.url(),
  setupUrl: z.string().nullable(),
  localJoinToken: z.string(),
});
type Ready = z.output<typeof readyMessage>;

const ENGINE_TIMEOUT_MS = 60_000;

/**
 * Runs everything on this machine: control plane (with its database) and agent, as processes beside this one, so that
 * neither takes the other with it. Ends when it is told to; containers run on.
 */
export async function up(output: Output): Promise<number> {
  if (process.getuid?.() !== 0)
    throw new FlotillaError("forbidden", "the agent makes namespaces, mounts and firewall rules: run this as root");
  const config = readConfig(process.env);
  mkdirSync(config.compileCacheDir, { recursive: true, mode: 0o700 });
  const env = { NODE_COMPILE_CACHE: config.compileCacheDir };
  const note = (text: string): void => output.note(text);
  await ensureDashboard(note);
  const agentModule = await agentMain(note);
  const isAgentThere = await isServed(config.socketPath);
  if (isAgentThere) output.note("an agent runs on this machine already: it is used as it is");
  return new Promise((resolve) => {
    const processes: SupervisedProcess[] = [];
    let isEnding = false;
    const end = async (code: number): Promise<void> => {
      if (isEnding) return;
      isEnding = true;
      for (const running of processes) await running.stop();
      resolve(code);
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void end(0));
    const agent = new SupervisedProcess({
      name: "the agent",
      argv: [...AGENT_NODE_FLAGS, agentModule],
      env: { ...AGENT_NODE_ENV, ...env },
      note: (text) => output.note(text),
      onEnd: () => true,
    });
    let isAnnounced = false;
    const control = new SupervisedProcess({
      name: "the control plane",
      argv: [...CONTROL_NODE_FLAGS, CONTROL_MAIN],
      env,
      note: (text) => output.note(text),
      onStart: (child) =>
        onReady(
          child,
          async (ready) => {
            await joinLocal(config.dataDir, ready);
            if (!isAgentThere) await untilServed(config.socketPath);
            if (isAnnounced) return;
            announce(output, ready, config.socketPath);
            isAnnounced = true;
            packAgent(output);
          },
          output,
        ),
      // One that never came up has said why: a port in use, a second one on the same data.
      onEnd: ({ code }) => {
        if (isAnnounced) return true;
        void end(code ?? 1);
        return false;
      },
    });
    processes.push(control, ...(isAgentThere ? [] : [agent]));
    control.start();
    if (!isAgentThere) agent.start();
  });
}

function onReady(child: ChildProcess, work: (ready: Ready) => Promise<void>, output: Output): void {
  child.on("message", (message) => {
    const ready = readyMessage.safeParse(message);
    if (!ready.success) return;
    work(ready.data).catch((error: unknown) =>
      output.note(`this machine could not join its own control plane: ${toFlotillaError(error).message}`),
    );
  });
}

/** Repeating it changes nothing: the agent keeps its key, and the control plane knows it. */
async function joinLocal(dataDir: string, ready: Ready): Promise<void> {
  await joinControlPlane({ dataDir, controlUrl: ready.url, token: ready.localJoinToken, agentVersion: VERSION });
}

function announce(output: Output, ready: Ready, socketPath: string): void {
  const lines = [
    "",
    `  Flotilla is up at   ${ready.publicUrl}`,
    ...(ready.setupUrl === null
      ? []
      : [`  Set it up with      ${ready.setupUrl}`, "                      (works once; a new start prints a new one)"]),
    `  docker here         DOCKER_HOST=unix://${socketPath}`,
    "  Ctrl-C stops Flotilla, not the containers.",
    "",
  ];
  output.result(lines.join("\n"), { url: ready.publicUrl, setupUrl: ready.setupUrl, dockerHost: `unix://${socketPath}` });
}

export function isServed(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socketPath);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

async function untilServed(socketPath: string): Promise<void> {
  const deadline = Date.now() + ENGINE_TIMEOUT_MS;
  while (!(await isServed(socketPath))) {
    if (Date.now() > deadline) throw new FlotillaError("unavailable", "the agent does not answer on its socket; its log above says why");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
