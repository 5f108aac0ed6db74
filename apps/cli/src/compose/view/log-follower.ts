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
import { LogTail } from "./log-tail.ts";

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
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
});

/** `name`: the engine's. `short`: how its lines begin. */
type Followed = {
  id: string;
  name: string;
  short: string;
  service: string;
  isOver: boolean;
  /** Its end has been shown and its exit code noted, which is a moment later. */
  isTold: boolean;
  /** Once it is over. */
  endedAtMs: number;
  /** Undefined: it is not shown. */
  tail: LogTail | undefined;
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

  /** A container that was there before is about to be started: its log holds what it said in earlier runs too. */
  async listen({ id, name, service }: { id: string; name: string; service: string }): Promise<void> {
    await this.#register({ id, name, service }).tail?.skip();
  }

  /** A container that has been started (or ran already): its output is shown from now on, a new one's from its beginning. */
  add({ id, name, service, isNew }: { id: string; name: string; service: string; isNew: boolean }): void {
    const known = this.#containers.get(id);
    const { tail } = known ?? this.#register({ id, name, service });
    if (known !== undefined || isNew) tail?.begin();
    else void tail?.skip().then(() => tail.begin());
  }

  #register({ id, name, service }: { id: string; name: string; service: string }): Followed {
    const short = shortName(this.#loaded.project.name, name);
    if (this.#isShown(service)) this.#printer.register(short);
    const tail = this.#tailOf({ id, name, service, short });
    const followed: Followed = { id, name, short, service, isOver: false, isTold: false, endedAtMs: 0, tail };
    this.#containers.set(id, followed);
    return followed;
  }

  #tailOf({ id, name, service, short }: { id: string; name: string; service: string; short: string }): LogTail | undefined {
    if (!this.#isShown(service)) return undefined;
    return new LogTail({
      engine: this.#session.engine,
      printer: this.#printer,
      container: { id, short, hasTerminal: this.#loaded.project.services[service]?.tty === true },
      timestamps: this.#options.timestamps === true,
      signal: this.#events.signal,
      warn: (message) => this.#session.warn(`logs of ${name}: ${message}`),
    });
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
    await Promise.all([...this.#containers.values()].map(async ({ tail }) => tail?.finish()));
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
    // What is told late is of a run whose end is known already.
    if (Action === "start" && container.isOver && (timeNano ?? 0) / 1e6 > container.endedAtMs) {
      container.isOver = false;
      container.isTold = false;
      container.tail?.reopen();
    }
    container.tail?.wake();
    if (Action === "die") await this.#look(container);
  }

  /** Notes a container's end, once for each. One that its policy starts again has not ended for good. */
  async #look(container: Followed): Promise<void> {
    let code = 0;
    try {
      const { State } = await inspect(this.#session.engine, container.id);
      if (State.Running || container.isOver) return;
      code = State.ExitCode;
      container.isOver = State.Status !== "restarting";
      container.endedAtMs = Date.parse(State.FinishedAt);
      if (container.isOver) await container.tail?.finish();
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
    container.isTold = true;
    const aborts = abortOnContainerExit || exitCodeFrom !== undefined || (abortOnContainerFailure && code !== 0);
    if (aborts && !this.#isStopping) {
      if (exitCodeFrom === undefined) this.#exitCode ??= code;
      this.#session.stderr.write("Aborting on container exit...\n");
      await this.#stopAll(this.#options.timeout);
    }
    this.#endIfOver();
  }

  #endIfOver(): void {
    if (this.#isComplete && [...this.#containers.values()].every(({ isTold }) => isTold)) this.#done.resolve(this.#exitCode ?? 0);
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
