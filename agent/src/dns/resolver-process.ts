// The agent's side of the resolver: writes what changes in the state, starts the process when it is first needed, finds the one that an
// agent before left, replaces one of other code, and starts it anew when it dies.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { backoffCeilingMs, FlotillaError, KeyedLock, type Logger, toFlotillaError } from "@flotilla/core";
import { type DaemonProcess, startDaemon } from "../host/daemon-process.ts";
import { kill } from "../host/libc.ts";
import { findProcesses } from "../host/process-table.ts";
import { programUrl } from "../programs.ts";
import { type NamesChange, NamesState } from "./names-state.ts";
import { ResolverConnection } from "./resolver-connection.ts";
import { makeResolverDirectory, type ResolverPaths, resolverPaths } from "./resolver-paths.ts";
import { StateWriter } from "./state-file.ts";

/** An argument that only resolvers have. */
const MARK = "flotilla-resolver";
/** A young generation of 1 MB and one thread for V8: what it keeps is small, what it forgets is smaller. */
const NODE_FLAGS = ["--no-warnings", "--max-semi-space-size=1", "--max-old-space-size=64", "--v8-pool-size=1", "--single-threaded-gc"];
const START_MS = 15_000;
const POLL_MS = 10;
/** A container that is started soon again finds the resolver that is there. */
const LINGER_MS = 10_000;
const REVIVE = { minMs: 100, maxMs: 5_000 };

export type ResolverOptions = {
  runDir: string;
  /** Where Node keeps compiled code between starts; only root may write there. */
  cacheDir: string;
  logger: Logger;
  /** Of the host. */
  resolvConfPath?: string;
};

/** What keeps names of containers resolvable. */
export type NameService = {
  /** Settles when names are answered by this; never rejects: a container without names is better than none. */
  apply(change: NamesChange): Promise<void>;
  /** Leaves the resolver to running containers; ends it when there are none. */
  close(): Promise<void>;
};

export class ResolverProcess implements NameService {
  readonly #options: ResolverOptions;
  readonly #paths: ResolverPaths;
  readonly #lock = new KeyedLock();
  readonly #code = codeOf();
  readonly #state = new NamesState();
  readonly #writer: StateWriter;
  #version = 0;
  #loadedVersion = 0;
  /** A container has no socket yet: the next change tries again. */
  #hasProblems = false;
  #connection: ResolverConnection | undefined;
  #lingering: NodeJS.Timeout | undefined;
  #deaths = 0;
  #isClosed = false;

  constructor(options: ResolverOptions) {
    this.#options = options;
    this.#paths = resolverPaths(options.runDir);
    this.#writer = new StateWriter(this.#paths.state, options.resolvConfPath ?? "/etc/resolv.conf");
  }

  async apply(change: NamesChange): Promise<void> {
    const isChanged = this.#state.take(change);
    // What an earlier call changed may still be on its way, which is as much as this one can wait for.
    if (isChanged || this.#hasProblems || this.#version === 0) this.#version = Math.max(this.#version + 1, Date.now());
    const version = this.#version;
    await this.#lock.run("resolver", async () => {
      // A call behind us has carried this one along.
      if (this.#loadedVersion < version) await this.#sync();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#lingering);
    await this.#lock.run("resolver", async () => {
      if (this.#isIdle()) await this.#end();
      else this.#connection?.close();
    });
  }

  #isIdle(): boolean {
    return !this.#state.hasContainers();
  }

  async #sync(): Promise<void> {
    try {
      if (this.#isIdle() && !existsSync(this.#paths.dir)) {
        this.#writer.forget();
        return;
      }
      this.#write();
      this.#linger();
      if (this.#isIdle() && this.#connection === undefined) return;
      await this.#load();
      this.#compact();
    } catch (error) {
      this.#options.logger.error("names of containers may not resolve", { error: toFlotillaError(error).message });
    }
  }

  /** Twice: one that hangs is killed and another does its work. */
  async #load(): Promise<void> {
    const version = this.#version;
    for (let attempt = 0; ; attempt += 1) {
      const connection = await this.#connect();
      try {
        const { loaded, problems } = await connection.load(version);
        this.#loadedVersion = loaded;
        this.#hasProblems = Object.keys(problems).length > 0;
        for (const [containerId, problem] of Object.entries(problems))
          this.#options.logger.warn("a container has no resolver", { containerId, problem });
        return;
      } catch (error) {
        this.#drop();
        kill(connection.pid, 9);
        if (attempt > 0) throw error;
      }
    }
  }

  #write(): void {
    makeResolverDirectory(this.#paths);
    this.#writer.write(this.#version, this.#state.takeDelta(), () => this.#state.records());
  }

  /** When the resolver has all of it: it then goes on reading behind what it knows. */
  #compact(): void {
    if (this.#loadedVersion === this.#version && this.#writer.isLong()) this.#writer.writeWhole(this.#version, this.#state.records());
  }

  async #connect(): Promise<ResolverConnection> {
    if (this.#connection !== undefined) return this.#connection;
    const present = await ResolverConnection.open(this.#paths.socket);
    if (present !== undefined && present.code === this.#code) return this.#adopt(present);
    present?.close();
    // Without this one that hangs would go on taking its share of the questions.
    if (present === undefined) this.#killStrays();
    return this.#adopt(await this.#start());
  }

  async #start(): Promise<ResolverConnection> {
    const { runDir, cacheDir } = this.#options;
    const daemon = startDaemon({
      module: programUrl("dns/resolver-main"),
      args: [runDir, this.#code, MARK],
      nodeFlags: NODE_FLAGS,
      env: { NODE_COMPILE_CACHE: cacheDir, MALLOC_ARENA_MAX: "1", UV_THREADPOOL_SIZE: "1" },
      logPath: this.#paths.log,
    });
    for (const deadline = Date.now() + START_MS; Date.now() < deadline;) {
      if (daemon.hasEnded()) break;
      const connection = await ResolverConnection.open(this.#paths.socket);
      if (connection?.pid === daemon.pid && connection !== undefined) return connection;
      connection?.close();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw this.#explain(daemon);
  }

  #explain(daemon: DaemonProcess): FlotillaError {
    if (daemon.pid !== undefined && !daemon.hasEnded()) kill(daemon.pid, 9);
    const log = existsSync(this.#paths.log) ? readFileSync(this.#paths.log, "utf8").trim().slice(-2_000) : "";
    return new FlotillaError("unavailable", `the resolver does not start: ${log}`);
  }

  #adopt(connection: ResolverConnection): ResolverConnection {
    this.#connection = connection;
    connection.onLost(() => {
      if (this.#connection === connection) this.#revive();
    });
    return connection;
  }

  /** At once the first time, later and later when it goes on dying. */
  #revive(): void {
    this.#connection = undefined;
    this.#loadedVersion = 0;
    if (this.#isClosed || this.#isIdle()) return;
    this.#options.logger.warn("the resolver died, starting it anew");
    const delayMs = this.#deaths === 0 ? 0 : backoffCeilingMs(this.#deaths - 1, REVIVE);
    this.#deaths += 1;
    setTimeout(() => {
      if (!this.#isClosed) void this.#lock.run("resolver", () => this.#sync());
    }, delayMs).unref();
    setTimeout(() => (this.#deaths = Math.max(0, this.#deaths - 1)), REVIVE.maxMs * 4).unref();
  }

  #linger(): void {
    clearTimeout(this.#lingering);
    if (!this.#isIdle()) return;
    this.#lingering = setTimeout(() => {
      void this.#lock.run("resolver", async () => {
        if (this.#isIdle() && !this.#isClosed) await this.#end();
      });
    }, LINGER_MS).unref();
  }

  async #end(): Promise<void> {
    if (!existsSync(this.#paths.dir)) return;
    const connection = this.#connection ?? (await ResolverConnection.open(this.#paths.socket));
    this.#connection = undefined;
    this.#loadedVersion = 0;
    await connection?.end();
    this.#killStrays();
    this.#writer.forget();
    rmSync(this.#paths.dir, { recursive: true, force: true });
  }

  #drop(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#loadedVersion = 0;
  }

  /** Resolvers of this instance, found by their arguments. */
  #killStrays(): void {
    const ours = findProcesses(MARK).filter((pid) => findProcesses(this.#options.runDir).includes(pid));
    for (const pid of ours) kill(pid, 9);
  }
}

/** Names the code: an agent of a newer version replaces the resolver that an older one left. A bundle names its chunks by their content. */
function codeOf(): string {
  const main = fileURLToPath(programUrl("dns/resolver-main"));
  const hash = createHash("sha256");
  const files = main.endsWith(".ts") ? sourcesIn(dirname(main)) : [main];
  for (const file of files) hash.update(basename(file)).update(readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}

function sourcesIn(dir: string): string[] {
  const names = readdirSync(dir).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  return names.sort().map((name) => join(dir, name));
}
