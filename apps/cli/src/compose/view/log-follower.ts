import type { IncomingMessage } from "node:http";
import type { LoadedProject } from "@flotilla/compose";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import { z } from "zod";
import { stopContainer } from "../apply/containers.ts";
import { inspect } from "../apply/wait.ts";
import { filters } from "../engine/client.ts";
import { readJsonLines } from "../engine/read-lines.ts";
import { dependencyOrder } from "@flotilla/compose";
import { LABEL, shortName } from "../plan/labels.ts";
import type { Session } from "../session.ts";
import { LogPrinter } from "./log-printer.ts";

export type FollowOptions = {
  services: readonly string[];
  color?: boolean;
  logPrefix?: boolean;
  timestamps?: boolean;
  attach?: string[];
  noAttach?: string[];
  abortOnContainerExit?: boolean;
  abortOnContainerFailure?: boolean;
  exitCodeFrom?: string;
  timeout?: number;
};

const EngineEvent = z.object({
  Action: z.string(),
  timeNano: z.number().optional(),
  time: z.number().optional(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
});

/** `name`: the engine's. `short`: how its lines begin. */
type Followed = {
  id: string;
  name: string;
  short: string;
  service: string;
  isOver: boolean;
  printing: Promise<void>;
  isPrinting: boolean;
  diedAt: string | undefined;
};

/** Two signals within this time are one press: a terminal sends it to every process, and a wrapper passes its own on. */
const SAME_PRESS_MS = 150;
const LAST_PRESS_MS = 1000;
const INTERRUPTED = 130;

/**
 * The foreground of `up`: logs of the containers until all have ended, or one ends that ends all, or Ctrl-C. The first Ctrl-C
 * stops the containers gracefully, a second one kills them.
 */
export class LogFollower {
  readonly #session: Session;
  readonly #loaded: LoadedProject;
  readonly #options: FollowOptions;
  readonly #printer: LogPrinter;
  readonly #containers = new Map<string, Followed>();
  readonly #events = new AbortController();
  readonly #done = Promise.withResolvers<number>();
  #exitCode: number | undefined;
  #isStopping = false;
  #isComplete = false;
  #isInterrupted = false;

  constructor(session: Session, loaded: LoadedProject, options: FollowOptions) {
    this.#session = session;
    this.#loaded = loaded;
    this.#options = options;
    const { stdout, stderr } = session;
    this.#printer = new LogPrinter({
      prefix: options.logPrefix !== false,
      colour: options.color !== false && session.hasColour,
      stdout,
      stderr,
    });
  }

  /** Listens to a container that was there before, from before its start on: its log holds what it said in earlier runs too. */
  async listen({ id, name, service }: { id: string; name: string; service: string }): Promise<void> {
    const followed = this.#register({ id, name, service });
    if (!this.#isShown(service) || this.#options.timestamps === true) return;
    const query = { stream: true, stdout: true, stderr: true };
    const { socket, head, isMultiplexed } = await this.#session.engine.hijack({ method: "POST", path: `/containers/${id}/attach`, query });
    if (head.length > 0) socket.unshift(head);
    this.#events.signal.addEventListener("abort", () => socket.destroy(), { once: true });
    const hasFrames = isMultiplexed && this.#loaded.project.services[service]?.tty !== true;
    this.#track(
      followed,
      this.#printer.print(followed.short, socket, hasFrames).catch(() => undefined),
    );
  }

  /** A container that has been started (or ran already): its output is shown from now on, a new one's from its beginning. */
  add({ id, name, service, isNew }: { id: string; name: string; service: string; isNew: boolean }): void {
    const known = this.#containers.get(id);
    const followed = known ?? this.#register({ id, name, service });
    if (!this.#isShown(service) || (known !== undefined && this.#options.timestamps !== true)) return;
    this.#track(followed, this.#print(followed, isNew ? {} : { tail: 0 }));
  }

  #track(container: Followed, printing: Promise<void>): void {
    container.isPrinting = true;
    container.printing = printing.then(() => void (container.isPrinting = false));
  }

  #register({ id, name, service }: { id: string; name: string; service: string }): Followed {
    const short = shortName(this.#loaded.project.name, name);
    if (this.#isShown(service)) this.#printer.register(short);
    const followed: Followed = {
      id,
      name,
      short,
      service,
      isOver: false,
      printing: Promise.resolve(),
      isPrinting: false,
      diedAt: undefined,
    };
    this.#containers.set(id, followed);
    return followed;
  }

  /** Shows logs until the end. @returns the exit code of the command. */
  async follow(): Promise<number> {
    const { stdout } = this.#session;
    const shown = [...this.#containers.values()].filter(({ service }) => this.#isShown(service)).map(({ short }) => short);
    if (shown.length > 0) stdout.write(`Attaching to ${shown.sort().join(", ")}\n`);
    this.#isComplete = true;
    // Asked for before looking: what ends in between is told twice and not missed.
    const events = await this.#openEvents();
    void this.#watchEvents(events).catch((error: unknown) => this.#done.reject(toFlotillaError(error)));
    await Promise.all([...this.#containers.values()].map((container) => this.#look(container)));
    if (this.#isInterrupted) await this.#interrupt(this.#options.timeout);
    this.#endIfOver();
    const code = await this.#done.promise;
    await Promise.all([...this.#containers.values()].map(({ printing }) => printing));
    return code;
  }

  /** Ctrl-C and SIGTERM end the containers. @returns what takes the handlers away. */
  watchInterrupts(timeoutSeconds: number | undefined): () => void {
    let lastAtMs = 0;
    const onSignal = (): void => {
      const now = performance.now();
      if (now - lastAtMs < SAME_PRESS_MS) return;
      lastAtMs = now;
      void this.#interrupt(timeoutSeconds);
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
    const remove = (): void => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, onSignal);
    };
    // A press too many while the program ends must not take its exit code away.
    return () => void setTimeout(remove, LAST_PRESS_MS).unref();
  }

  async close(): Promise<void> {
    this.#events.abort();
    await Promise.resolve();
  }

  async #interrupt(timeoutSeconds: number | undefined): Promise<void> {
    if (!this.#isComplete) {
      // What is being made is made to its end, and then stopped; a second press does not wait for it.
      if (this.#isInterrupted) process.exit(INTERRUPTED);
      this.#isInterrupted = true;
      return;
    }
    if (this.#isStopping) return this.#killAll();
    this.#exitCode = INTERRUPTED;
    this.#session.stderr.write("Gracefully Stopping... press Ctrl+C again to force\n");
    await this.#stopAll(timeoutSeconds);
  }

  #isShown(service: string): boolean {
    const { attach = [], noAttach = [] } = this.#options;
    if (attach.length > 0 && !attach.includes(service)) return false;
    return !noAttach.includes(service) && this.#loaded.project.services[service]?.attach !== false;
  }

  async #print(container: Followed, from: { tail?: number; since?: string }): Promise<void> {
    const { engine } = this.#session;
    const { signal } = this.#events;
    try {
      const query = { follow: true, stdout: true, stderr: true, timestamps: this.#options.timestamps === true, ...from };
      const response = await engine.stream({ method: "GET", path: `/containers/${container.id}/logs`, query, signal });
      await this.#printer.print(
        container.short,
        response,
        isMultiplexed(response, this.#loaded.project.services[container.service]?.tty === true),
      );
      // The log ended with a run, and the next run has begun before that was noticed.
      if (
        !signal.aborted &&
        container.diedAt !== undefined &&
        container.diedAt !== from.since &&
        (await inspect(engine, container.id)).State.Running
      )
        await this.#print(container, { since: container.diedAt });
    } catch (error) {
      if (!signal.aborted && toFlotillaError(error).code !== "not_found")
        this.#session.warn(`logs of ${container.name}: ${toFlotillaError(error).message}`);
    }
  }

  #openEvents(): Promise<IncomingMessage> {
    const wanted = filters({ type: ["container"], event: ["die", "start"], label: [`${LABEL.project}=${this.#loaded.project.name}`] });
    return this.#session.engine.stream({ method: "GET", path: "/events", query: { filters: wanted }, signal: this.#events.signal });
  }

  async #watchEvents(events: IncomingMessage): Promise<void> {
    const { signal } = this.#events;
    try {
      for await (const document of readJsonLines(events)) {
        const event = EngineEvent.safeParse(document);
        if (event.success) await this.#onEvent(event.data);
      }
      if (!signal.aborted) throw new FlotillaError("unavailable", "the engine ended the stream of events");
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #onEvent({ Action, Actor, timeNano }: z.output<typeof EngineEvent>): Promise<void> {
    const container = this.#containers.get(Actor.ID);
    if (container === undefined) return;
    if (Action === "die") {
      // What it says after this, another run says.
      if (timeNano !== undefined) container.diedAt = (timeNano / 1e9).toFixed(9);
      return this.#look(container);
    }
    if (Action !== "start" || container.diedAt === undefined) return;
    container.isOver = false;
    // Some engines end a log with each run, others when the container has ended for good.
    if (!container.isPrinting && this.#isShown(container.service))
      this.#track(container, this.#print(container, { since: container.diedAt }));
  }

  /** Notes a container's end, once for each. One that its policy starts again has not ended for good. */
  async #look(container: Followed): Promise<void> {
    let code = 0;
    try {
      const { State } = await inspect(this.#session.engine, container.id);
      if (State.Running || container.isOver) return;
      code = State.ExitCode;
      container.isOver = State.Status !== "restarting";
      if (container.isOver) await container.printing;
      this.#printer.event(container.short, `exited with code ${code}`);
      if (!container.isOver) return;
    } catch (error) {
      if (toFlotillaError(error).code !== "not_found") throw error;
      container.isOver = true;
    }
    await this.#afterEnd(container, code);
  }

  async #afterEnd(container: Followed, code: number): Promise<void> {
    const { abortOnContainerExit = false, abortOnContainerFailure = false, exitCodeFrom } = this.#options;
    if (exitCodeFrom === container.service) this.#exitCode ??= code;
    const aborts = abortOnContainerExit || exitCodeFrom !== undefined || (abortOnContainerFailure && code !== 0);
    if (aborts && !this.#isStopping) {
      if (exitCodeFrom === undefined) this.#exitCode ??= code;
      this.#session.stderr.write("Aborting on container exit...\n");
      await this.#stopAll(this.#options.timeout);
    }
    this.#endIfOver();
  }

  #endIfOver(): void {
    if (this.#isComplete && [...this.#containers.values()].every(({ isOver }) => isOver)) this.#done.resolve(this.#exitCode ?? 0);
  }

  /** Those that depend on others stop first. */
  async #stopAll(timeoutSeconds: number | undefined): Promise<void> {
    this.#isStopping = true;
    try {
      for (const service of dependencyOrder(this.#loaded.project.services).reverse()) {
        const own = [...this.#containers.values()].filter((container) => container.service === service && !container.isOver);
        const context = { ...this.#session.apply(this.#loaded) };
        await Promise.all(own.map((container) => stopContainer(context, { ...container, state: "running" }, { timeoutSeconds })));
        await Promise.all(own.map((container) => this.#look(container)));
      }
    } catch (error) {
      this.#done.reject(toFlotillaError(error));
    }
    this.#endIfOver();
  }

  async #killAll(): Promise<void> {
    const running = [...this.#containers.values()].filter(({ isOver }) => !isOver);
    for (const { name } of running) this.#session.progress.set({ kind: "Container", name, status: "Killing" });
    await Promise.allSettled(running.map(({ id }) => this.#session.engine.run({ method: "POST", path: `/containers/${id}/kill` })));
  }
}

/** By the answer's own word where it has one, else by whether there is a terminal. */
export function isMultiplexed(response: IncomingMessage, hasTerminal: boolean): boolean {
  const type = response.headers["content-type"] ?? "";
  if (type.includes("multiplexed-stream")) return true;
  return !hasTerminal;
}
