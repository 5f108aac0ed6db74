import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { FlotillaError, type Logger, toFlotillaError } from "@flotilla/core";
import { encodeStdcopy, STDCOPY, type ExecCreateBody, type ExecInspect, type ExecStartBody } from "@flotilla/engine-api";
import { containerEvent } from "../api/container-event.ts";
import { parseDetachKeys } from "../attach/detach-keys.ts";
import type { Containers, ContainerView } from "../engine/containers-port.ts";
import { SIGKILL } from "../engine/signals.ts";
import type { EventBus } from "../events/bus.ts";
import { kill } from "../host/libc.ts";
import type { PtyProcess, TerminalSize } from "../host/pty-process.ts";
import { resizeTerminalOf } from "../host/termios.ts";
import { describeExecFailure } from "../runtime/start-failure.ts";
import { ExecFiles } from "./exec-files.ts";
import { ExecRegistry, type ExecRecord } from "./exec-registry.ts";
import { prepareExecProcess } from "./exec-target.ts";
import { runOnTerminal, runPiped, type ExecRun } from "./run-exec.ts";

export type ExecServiceParts = { containers: Containers; events: EventBus; logger: Logger; nowMs: () => number };

/** Height and width 0: the client did not say. */
const UNKNOWN_SIZE: TerminalSize = { rows: 0, columns: 0 };

/**
 * Programs started in running containers, by the OCI runtime's exec.
 *
 * INVARIANTS: an exec runs once; when its client sees the end of the stream, `Running` is false and the exit code is
 * known; a program outlives its client unless it had a terminal.
 */
export class ExecService {
  readonly #parts: ExecServiceParts;
  readonly #registry: ExecRegistry;

  constructor(parts: ExecServiceParts) {
    this.#parts = parts;
    this.#registry = new ExecRegistry(parts.events, parts.nowMs);
  }

  /** @throws conflict when the container does not run or is paused, invalid without a command. */
  create(view: ContainerView, body: ExecCreateBody): string {
    requireExecutable(view);
    this.#parts.containers.expectProcess();
    if (body.Cmd === null || body.Cmd.length === 0 || body.Cmd[0] === "") throw new FlotillaError("invalid", "No exec command specified");
    const record: ExecRecord = {
      id: randomBytes(32).toString("hex"),
      namespace: view.namespace,
      containerId: view.id,
      body,
      detachKeys: parseDetachKeys(body.DetachKeys),
      state: "created",
      exitCode: null,
      finishedAtMs: 0,
      files: undefined,
      pty: undefined,
      size: sizeOf(body.ConsoleSize),
    };
    this.#registry.add(record);
    this.#publish(view, `exec_create: ${body.Cmd.join(" ")}`, { execID: record.id });
    return record.id;
  }

  /**
   * Checks and claims an exec for its one run.
   * @returns what runs it, on the client's connection or detached (then it settles when the program has been started).
   */
  claim(namespace: string, id: string, body: ExecStartBody): { isTerminal: boolean; run: (client: Duplex | undefined) => Promise<void> } {
    const record = this.#registry.get(namespace, id);
    if (record.state === "running") throw new FlotillaError("conflict", `Error: Exec command ${id} is already running`);
    if (record.state === "ended") throw new FlotillaError("conflict", `Error: Exec command ${id} has already run`);
    const view = this.#parts.containers.get(namespace, record.containerId);
    requireExecutable(view);
    this.#parts.containers.expectProcess();
    record.state = "running";
    record.size = sizeOf(body.ConsoleSize) ?? record.size;
    return {
      isTerminal: record.body.Tty,
      run: async (client) => {
        const done = this.#run(record, view, client);
        if (client !== undefined) await done;
        else await Promise.race([done, this.#started(record)]);
      },
    };
  }

  /** @throws not_found, or conflict while it does not run. */
  resize(namespace: string, id: string, size: TerminalSize): void {
    const record = this.#registry.get(namespace, id);
    const pid = pidOf(record);
    if (record.pty === undefined || pid === 0 || !resizeTerminalOf(pid, size)) {
      throw new FlotillaError("conflict", `cannot resize exec ${id}: it has no running terminal`);
    }
  }

  inspect(namespace: string, id: string): ExecInspect {
    const record = this.#registry.get(namespace, id);
    const [entrypoint = "", ...args] = record.body.Cmd ?? [];
    const { Privileged: privileged, User: user, Tty: tty } = record.body;
    return {
      ID: record.id,
      Running: record.state === "running",
      ExitCode: record.exitCode,
      ProcessConfig: { tty, entrypoint, arguments: args, privileged, ...(user === "" ? {} : { user }) },
      OpenStdin: record.body.AttachStdin,
      OpenStderr: record.body.AttachStderr,
      OpenStdout: record.body.AttachStdout,
      CanRemove: false,
      ContainerID: record.containerId,
      DetachKeys: record.body.DetachKeys,
      Pid: pidOf(record),
    };
  }

  /** Ends an exec's program, if it runs, with what it started: the runtime makes it the leader of a process group. */
  kill(namespace: string, id: string): void {
    const pid = pidOf(this.#registry.get(namespace, id));
    if (pid > 0 && !kill(-pid, SIGKILL.number)) kill(pid, SIGKILL.number);
  }

  /** Ids of a container's execs that have not ended: `ExecIDs` of its inspect. */
  activeIds(containerId: string): string[] {
    return this.#registry.activeIds(containerId);
  }

  async #run(record: ExecRecord, view: ContainerView, client: Duplex | undefined): Promise<void> {
    this.#publish(view, `exec_start: ${(record.body.Cmd ?? []).join(" ")}`, { execID: record.id });
    const files = new ExecFiles(view, record.id);
    record.files = files;
    let refusal: string | undefined;
    try {
      const detached = new Promise<"detached">((resolve) => {
        record.onDetached = () => resolve("detached");
      });
      const ended = this.#execute(record, view, { files, client }).then((exitCode) => {
        refusal = files.refusal();
        const failure = refusal === undefined ? undefined : describeExecFailure(refusal, record.body.Cmd?.[0] ?? "");
        this.#finish(record, view, failure?.exitCode ?? exitCode);
        refusal = failure?.message;
      });
      if ((await Promise.race([ended, detached])) === "detached") {
        this.#publish(view, "exec_detach", { execID: record.id });
        ended.catch((error: unknown) =>
          this.#parts.logger.warn("a detached exec broke off", { execId: record.id, error: toFlotillaError(error).message }),
        );
        return;
      }
    } catch (error) {
      refusal = toFlotillaError(error).message;
      if (record.state !== "ended") this.#finish(record, view, 126);
    }
    if (refusal !== undefined) await this.#tell(record, client, refusal);
  }

  /** The client's answer has begun: what went wrong stands in its stream. A detached start answers with an error instead. */
  async #tell(record: ExecRecord, client: Duplex | undefined, message: string): Promise<void> {
    if (client === undefined) throw new FlotillaError("invalid", message);
    const text = Buffer.from(`${message}\r\n`);
    if (client.writable && !client.write(record.body.Tty ? text : encodeStdcopy(STDCOPY.stdout, text)))
      await once(client, "drain").catch(() => undefined);
  }

  async #execute(record: ExecRecord, view: ContainerView, io: { files: ExecFiles; client: Duplex | undefined }): Promise<number> {
    const { files, client } = io;
    const { body } = record;
    await files.write(await prepareExecProcess(view, body, record.size));
    const run: ExecRun = {
      argv: execArguments(view, files, body.Tty),
      cwd: view.bundleDir,
      files,
      client,
      attach: { stdin: body.AttachStdin, stdout: body.AttachStdout, stderr: body.AttachStderr },
      onDetached: () => record.onDetached?.(),
    };
    if (!body.Tty) return await runPiped(run);
    const onTerminal = (pty: PtyProcess): void => {
      record.pty = pty;
    };
    return await runOnTerminal({ ...run, size: record.size ?? UNKNOWN_SIZE, detachKeys: record.detachKeys, onTerminal });
  }

  #finish(record: ExecRecord, view: ContainerView, exitCode: number): void {
    record.state = "ended";
    record.exitCode = exitCode;
    record.finishedAtMs = this.#parts.nowMs();
    record.pty = undefined;
    record.files?.remove();
    this.#publish(view, "exec_die", { execID: record.id, exitCode: String(exitCode) });
  }

  #publish(view: ContainerView, action: string, attributes: Record<string, string>): void {
    this.#parts.events.publish(containerEvent(view, action, attributes));
  }

  /** Settles when the program runs. */
  async #started(record: ExecRecord): Promise<void> {
    while (record.state === "running" && record.files?.hasStarted() !== true) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function requireExecutable(view: ContainerView): void {
  if (view.status === "paused") throw new FlotillaError("conflict", `Container ${view.id} is paused, unpause the container before exec`);
  if (view.status === "restarting")
    throw new FlotillaError("conflict", `Container ${view.id} is restarting, wait until the container is running`);
  if (view.status !== "running") throw new FlotillaError("conflict", `container ${view.id} is not running`);
}

function execArguments(view: ContainerView, files: ExecFiles, isTerminal: boolean): [string, ...string[]] {
  return [
    view.runtimePath,
    `--root=${view.runtimeRoot}`,
    `--log=${files.logPath}`,
    "--log-format=json",
    "exec",
    ...(isTerminal ? ["--tty"] : []),
    `--process=${files.processPath}`,
    `--pid-file=${files.pidPath}`,
    view.id,
  ];
}

function sizeOf(consoleSize: readonly [number, number] | undefined): TerminalSize | undefined {
  if (consoleSize === undefined || consoleSize[0] <= 0 || consoleSize[1] <= 0) return undefined;
  return { rows: consoleSize[0], columns: consoleSize[1] };
}

/** 0 once it has ended: its number may be another process's by then. */
function pidOf(record: ExecRecord): number {
  return record.state === "running" ? (record.files?.pid() ?? 0) : 0;
}
