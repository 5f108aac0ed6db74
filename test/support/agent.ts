import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentMain } from "../../apps/cli/src/bundle/agent-program.ts";
import { AGENT_NODE_ENV, AGENT_NODE_FLAGS, readConfig } from "../../agent/src/config.ts";
import { makeBusyboxTar } from "./busybox-image.ts";
import { docker, type CommandOptions, type CommandResult } from "./docker.ts";
import { leftOf } from "./leftovers.ts";
import { COMPILE_CACHE } from "./compile-cache.ts";

export type TestAgent = {
  /** Scratch directory of this agent; its data and run directories are below. */
  dir: string;
  /** `unix:///…/engine.sock` */
  host: string;
  socketPath: string;
  pid(): number;
  docker(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** `docker inspect --format`, trimmed. */
  inspect(ref: string, format: string): Promise<string>;
  /** Ends the agent's process at once, as a crash would; containers go on. */
  kill(): Promise<void>;
  /** Starts it again on the same data. */
  start(): Promise<void>;
  /** What the agent has logged so far. */
  log(): string;
  /** Removes all containers, stops the agent, and fails if anything of this instance is left on the machine. */
  close(): Promise<void>;
};

/** A real agent on a directory of its own, with the image `busybox` unless told otherwise. */
export async function startTestAgent(options: { withoutImage?: boolean; env?: Readonly<Record<string, string>> } = {}): Promise<TestAgent> {
  const dir = mkdtempSync(join(tmpdir(), "flt-"));
  const env = { FLOTILLA_DATA: join(dir, "data"), FLOTILLA_RUN: join(dir, "run"), FLOTILLA_LOG: "debug", ...COMPILE_CACHE, ...options.env };
  const config = readConfig(env);
  const host = `unix://${config.socketPath}`;
  const logs: Buffer[] = [];
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const argv = ["--disable-warning=ExperimentalWarning", ...AGENT_NODE_FLAGS, await agentMain()];
    const started = spawn(process.execPath, argv, {
      env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`, HOME: "/root", ...AGENT_NODE_ENV, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    started.stdout.on("data", (chunk: Buffer) => logs.push(chunk));
    started.stderr.on("data", (chunk: Buffer) => logs.push(chunk));
    await untilAnswering(host, started, logs);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once("exit", resolve));
    running.kill(signal);
    await gone;
  };
  const agent: TestAgent = {
    dir,
    host,
    socketPath: config.socketPath,
    pid: () => child?.pid ?? 0,
    docker: (args, commandOptions) => docker(host, args, commandOptions),
    inspect: async (ref, format) => (await docker(host, ["inspect", "--format", format, ref])).stdout.trim(),
    kill: () => end("SIGKILL"),
    start,
    log: () => Buffer.concat(logs).toString("utf8"),
    close: async () => {
      if (child?.exitCode === null && child.signalCode === null) await removeContainers(host);
      await end("SIGTERM");
      const left = await leftOf([config.instance, `fl${config.instance.slice(0, 6)}`, dir]);
      if (left.length === 0) rmSync(dir, { recursive: true, force: true });
      else throw new Error(`the agent left behind:\n  ${left.join("\n  ")}\nits log: ${agent.log().slice(-3000)}`);
    },
  };
  await start();
  if (options.withoutImage !== true) await importBusybox(agent);
  return agent;
}

/** Gives an agent the image `busybox`. */
export async function importBusybox(agent: Pick<TestAgent, "dir" | "docker">): Promise<void> {
  const tar = await makeBusyboxTar(agent.dir);
  const imported = await agent.docker(["import", "--change", 'CMD ["sh"]', tar, "busybox:latest"]);
  if (imported.exitCode !== 0) throw new Error(`docker import: ${imported.stderr}`);
}

async function removeContainers(host: string): Promise<void> {
  const ids = (await docker(host, ["ps", "-aq"])).stdout.split("\n").filter((id) => id !== "");
  if (ids.length > 0) await docker(host, ["rm", "-f", "-v", ...ids]);
}

async function untilAnswering(host: string, child: ChildProcess, logs: readonly Buffer[]): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const answer = await docker(host, ["version", "--format", "{{.Server.Version}}"]);
    if (answer.exitCode === 0) return;
    if (child.exitCode !== null || attempt > 200) {
      throw new Error(`the agent does not answer: ${answer.stderr}\n${Buffer.concat(logs).toString("utf8").slice(-4000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
