import { readFileSync } from "node:fs";
import { formatIssue, type LoadedProject, loadProject } from "@flotilla/compose";
import { isFlotillaError } from "@flotilla/core";
import type { ApplyContext } from "./apply/context.ts";
import { EngineClient } from "./engine/client.ts";
import { findEndpoint } from "./engine/endpoint.ts";
import { createProgress, type Progress, silentProgress } from "./view/progress.ts";

/** Options that stand before the command's name, for every command. */
export type GlobalOptions = {
  file?: string[];
  projectName?: string;
  profile?: string[];
  envFile?: string[];
  projectDirectory?: string;
  host?: string;
  context?: string;
  ansi?: string;
  progress?: string;
  json?: boolean;
  dryRun?: boolean;
};

type Terminal = { write(text: string): unknown; isTTY?: boolean; columns?: number; rows?: number };

/** What a run is connected with: the process, or a test. */
export type SessionIo = {
  environment: Readonly<Record<string, string | undefined>>;
  stdout: Terminal;
  stderr: Terminal;
  version: string;
  /** Absolute. */
  workingDir: string;
  /** Instead of the engine that the options name. */
  engine?: EngineClient;
};

/** One run of `flotilla compose`: its options, its engine, its project, how it speaks. */
export class Session {
  readonly options: GlobalOptions;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly version: string;
  readonly workingDir: string;
  readonly progress: Progress;
  readonly #abort = new AbortController();
  #engine: EngineClient | undefined;

  constructor(options: GlobalOptions, { environment, stdout, stderr, version, workingDir, engine }: SessionIo) {
    this.options = options;
    this.#engine = engine;
    this.workingDir = workingDir;
    this.environment = environment;
    this.version = version;
    const isQuiet = options.progress === "quiet" || options.json === true;
    const ansi =
      options.ansi === "always" ||
      options.progress === "tty" ||
      (options.ansi !== "never" && options.progress !== "plain" && stderr.isTTY === true);
    this.progress = isQuiet ? silentProgress : createProgress(stderr, { ansi, colour: this.#hasColour(stdout) });
    this.stdout = beside(this.progress, stdout);
    this.stderr = beside(this.progress, stderr);
  }

  get isJson(): boolean {
    return this.options.json === true;
  }

  get hasColour(): boolean {
    return this.#hasColour(this.stdout);
  }

  /** By the convention of NO_COLOR, `--ansi` above it. */
  #hasColour(stdout: Terminal): boolean {
    const { ansi } = this.options;
    if (ansi === "always") return true;
    return ansi !== "never" && (this.environment["NO_COLOR"] ?? "") === "" && stdout.isTTY === true;
  }

  /** Aborts when the program is told to end. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  interrupt(reason: Error): void {
    this.#abort.abort(reason);
  }

  get engine(): EngineClient {
    this.#engine ??= new EngineClient(findEndpoint(this.options, this.environment));
    return this.#engine;
  }

  close(): void {
    this.#engine?.close();
  }

  /** The project of the files; its warnings go to standard error. @throws invalid with all mistakes. */
  async load(services: readonly string[] = [], how: { interpolate?: boolean; allProfiles?: boolean } = {}): Promise<LoadedProject> {
    const { options } = this;
    const request = {
      workingDir: this.workingDir,
      files: options.file ?? [],
      projectDirectory: options.projectDirectory,
      projectName: options.projectName,
      envFiles: options.envFile,
      profiles: how.allProfiles === true ? ["*"] : options.profile,
      environment: this.environment,
      services,
      target: "host" as const,
      interpolate: how.interpolate,
    };
    const loaded = await loadProject(request, { read: async (path) => readText(path) });
    for (const issue of loaded.warnings) this.warn(formatIssue(issue));
    return loaded;
  }

  /** The project's name, also without its files where `--project-name` gives it. */
  async findProject(services: readonly string[] = []): Promise<{ name: string; loaded: LoadedProject | undefined }> {
    const given = this.options.projectName ?? this.environment["COMPOSE_PROJECT_NAME"];
    try {
      const loaded = await this.load(services, { allProfiles: true });
      return { name: loaded.project.name, loaded };
    } catch (error) {
      const isAbsent = isFlotillaError(error, "invalid") && error.message.startsWith("no configuration file provided");
      if (isAbsent && given !== undefined && given !== "") return { name: given, loaded: undefined };
      throw error;
    }
  }

  apply(loaded: LoadedProject): ApplyContext {
    return {
      engine: this.engine,
      loaded,
      progress: this.progress,
      environment: this.environment,
      version: this.version,
      signal: this.signal,
    };
  }

  /** The result: a document with `--json`, text for people otherwise. */
  result(text: string, document: unknown): void {
    if (this.isJson) this.stdout.write(`${JSON.stringify(document)}\n`);
    else if (text !== "") this.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  }

  warn(text: string): void {
    this.stderr.write(`WARN ${text}\n`);
  }
}

/** A stream of ours on which the list of what is under way may stand. */
const beside = (progress: Progress, stream: Terminal): Terminal => ({
  write: (text) => progress.beside(() => stream.write(text)),
  get isTTY() {
    return stream.isTTY ?? false;
  },
});

/** At once: nothing else can be done meanwhile, and threads to read with would have to be started. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "EISDIR"))
      return undefined;
    throw error;
  }
}
