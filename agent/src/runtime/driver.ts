import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { createWithConmon } from "../host/conmon.ts";
import { MINIMAL_ENV, run } from "../host/run.ts";
import { startByFifo } from "./exec-fifo.ts";
import type { OciResources, OciSpec } from "./oci-spec.ts";
import { formatSpec } from "./spec.ts";
import { SeccompCache } from "./seccomp-cache.ts";

export type RuntimePaths = {
  /** `crun` or `runc`: the path may say nothing of it. */
  kind: string;
  runtimePath: string;
  conmonPath: string;
  root: string;
  exitDir: string;
  seccompDir: string;
};

export type CreateRequest = {
  id: string;
  bundleDir: string;
  spec: OciSpec;
  logPath: string;
  stdio: { hasStdin: boolean; keepsStdinOpen: boolean; hasTerminal: boolean };
};

/** `state` of the OCI runtime specification, as far as the engine asks. */
const RuntimeState = z.object({ id: z.string(), status: z.string(), pid: z.int().nullish() });

/** An OCI runtime under conmon, with its state in a directory of this instance. Every call is safe to repeat. */
export class RuntimeDriver {
  readonly paths: RuntimePaths;

  readonly #isCrun: boolean;
  readonly #seccomp: SeccompCache | undefined;

  constructor(paths: RuntimePaths) {
    this.paths = paths;
    this.#isCrun = paths.kind === "crun";
    this.#seccomp = this.#isCrun ? new SeccompCache(paths.seccompDir) : undefined;
  }

  /** Writes config.json and creates the container. @returns pid. @throws internal with the runtime's own words. */
  async create(request: CreateRequest): Promise<number> {
    const spec = this.#seccomp?.apply(request.spec) ?? request.spec;
    writeFileSync(join(request.bundleDir, "config.json"), formatSpec(spec), { mode: 0o600 });
    rmSync(join(this.paths.exitDir, request.id), { force: true });
    const pid = await createWithConmon({
      conmonPath: this.paths.conmonPath,
      runtimePath: this.paths.runtimePath,
      runtimeArgs: [this.#rootArgument()],
      id: request.id,
      bundleDir: request.bundleDir,
      exitDir: this.paths.exitDir,
      logPath: request.logPath,
      ...request.stdio,
    });
    this.#seccomp?.remember(request.spec, join(this.paths.root, request.id));
    return pid;
  }

  async start(id: string): Promise<void> {
    if (this.#isCrun && startByFifo(join(this.paths.root, id))) return;
    await this.#call("start", id);
  }

  async pause(id: string): Promise<void> {
    await this.#call("pause", id);
  }

  async resume(id: string): Promise<void> {
    await this.#call("resume", id);
  }

  /** Sends a signal to every process of the container, not to its first alone. */
  async killAll(id: string, signal: number): Promise<void> {
    await this.#call("kill", "--all", id, String(signal));
  }

  /** Changes the limits of a container that runs. */
  async update(id: string, resources: OciResources, bundleDir: string): Promise<void> {
    // A file, since crun opens what it is given by name, which the socket that Node uses as stdin cannot be.
    const file = join(bundleDir, "resources.json");
    writeFileSync(file, JSON.stringify(resources), { mode: 0o600 });
    await this.#call("update", "--resources", file, id);
  }

  /** What the runtime knows of a container; undefined when it knows none of this id. */
  async state(id: string): Promise<{ status: string; pid: number } | undefined> {
    const result = await run({ argv: [this.paths.runtimePath, this.#rootArgument(), "state", id], okExitCodes: [0, 1], env: MINIMAL_ENV });
    if (result.exitCode !== 0) return undefined;
    const state = RuntimeState.safeParse(JSON.parse(result.stdout));
    if (!state.success) throw new FlotillaError("internal", `read state of container ${id}: ${state.error.message}`);
    return { status: state.data.status, pid: state.data.pid ?? 0 };
  }

  /** Kills what is left of a container and forgets it. Idempotent. */
  async delete(id: string): Promise<void> {
    await run({ argv: [this.paths.runtimePath, this.#rootArgument(), "delete", "--force", id], okExitCodes: [0, 1] });
  }

  /** Ids of which the runtime keeps state. */
  list(): string[] {
    return listDirectory(this.paths.root);
  }

  #rootArgument(): string {
    return `--root=${this.paths.root}`;
  }

  async #call(command: string, ...args: string[]): Promise<void> {
    await run({ argv: [this.paths.runtimePath, this.#rootArgument(), command, ...args] });
  }
}

function listDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
