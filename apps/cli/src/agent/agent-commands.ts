import { AGENT_NODE_ENV, AGENT_NODE_FLAGS, readConfig } from "@flotilla/agent/config";
import { joinControlPlane } from "@flotilla/agent/join";
import type { Output } from "../output.ts";
import { AGENT_MAIN, VERSION } from "../paths.ts";
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
  return new Promise((resolve) => {
    const agent = new SupervisedProcess({
      name: "the agent",
      argv: [...AGENT_NODE_FLAGS, AGENT_MAIN],
      env: AGENT_NODE_ENV,
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
