// What `stacks.ts` waits for, by what tells of it and not by looking again and again: the processors that would take are those that are measured.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { hostConfig } from "../test/lab/lab-plan.ts";
import type { Lab } from "../test/lab/lab.ts";
import type { Watch } from "./name-watcher.ts";

/** What an engine's socket is asked by. */
export const socketOf = (lab: Lab, host: string): string => hostConfig(lab.plan, host).socketPath;
export const API = "/v1.47";

const MAIN = join(import.meta.dirname, "name-watcher.ts");
const RESOLVER = "127.0.0.11";
const inspected = z.object({ State: z.object({ Pid: z.int().positive() }) });

/** A process in the network namespace of a container, which asks that network's resolver. */
export class NameWatch {
  readonly #child: ChildProcess;
  readonly #wish: Omit<Watch, "id">;
  #last = 0;

  private constructor(child: ChildProcess, wish: Omit<Watch, "id">) {
    this.#child = child;
    this.#wish = wish;
  }

  /** Makes the container. The process ends with this one, or with the lab. */
  static async start(
    lab: Lab,
    { host, network, ...wish }: { host: string; network: string; names: string[]; count: number },
  ): Promise<NameWatch> {
    const { stdout } = await lab.docker(host, ["run", "-d", "--network", network, "busybox", "sleep", "36000"]);
    const [found] = z.tuple([inspected]).parse(JSON.parse((await lab.docker(host, ["inspect", stdout.trim()])).stdout));
    const node = [process.execPath, "--disable-warning=ExperimentalWarning", MAIN];
    const [file, ...args] = lab.argvIn(host, ["nsenter", `--target=${found.State.Pid}`, "--net", ...node]);
    const child = spawn(file, args, { stdio: ["ignore", "inherit", "inherit", "ipc"], env: { PATH: process.env["PATH"] } });
    await once(child, "message");
    return new NameWatch(child, { server: RESOLVER, ...wish });
  }

  /** Until every name leads to so many addresses. @throws when the process ends. */
  async wait(): Promise<void> {
    const id = (this.#last += 1);
    const answered = new Promise<void>((resolve, reject) => {
      this.#child.once("exit", () => reject(new Error("who asks for names has ended")));
      this.#child.on("message", (message) => message === id && resolve());
    });
    this.#child.send({ ...this.#wish, id } satisfies Watch);
    await answered;
    this.#child.removeAllListeners("message").removeAllListeners("exit");
  }

  close(): void {
    this.#child.disconnect();
  }
}

/** Counts containers of a project that start on any host, by the engines' events. */
export class StartCount {
  #count = 0;
  #streams: IncomingMessage[] = [];
  #reached: { count: number; resolve: () => void } | undefined;

  static async open(lab: Lab, project: string): Promise<StartCount> {
    const made = new StartCount();
    const filters = { type: ["container"], event: ["start"], label: [`com.docker.compose.project=${project}`] };
    const path = `${API}/events?filters=${encodeURIComponent(JSON.stringify(filters))}`;
    made.#streams = await Promise.all(lab.hosts.map((host) => made.#open({ socketPath: socketOf(lab, host), path })));
    return made;
  }

  async #open(options: { socketPath: string; path: string }): Promise<IncomingMessage> {
    const asked = request(options).end();
    const [answer] = z.tuple([z.custom<IncomingMessage>()]).parse(await once(asked, "response"));
    createInterface({ input: answer }).on("line", () => this.#add());
    return answer;
  }

  #add(): void {
    this.#count += 1;
    if (this.#reached !== undefined && this.#count >= this.#reached.count) this.#reached.resolve();
  }

  /** Until so many started since this was opened. */
  reach(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#reached = { count, resolve };
      if (this.#count >= count) resolve();
    });
  }

  close(): void {
    for (const stream of this.#streams) stream.destroy();
  }
}
