// conmon(8) holds a container's stdio, writes its log and records its exit code, so that all three outlive the agent.
// It is started in a session of its own with no pipe to us but the sync pipe (descriptor 3), on which it reports the
// container's pid once; when the agent dies, nothing of it is lost.
import { closeSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import { z } from "zod";
import { kill } from "./libc.ts";
import { openPipe, posixSpawn, waitForExit } from "./posix-spawn.ts";
import { MINIMAL_ENV } from "./run.ts";

export type ConmonRequest = {
  conmonPath: string;
  runtimePath: string;
  /** Global arguments of the runtime, such as `--root=…`. */
  runtimeArgs: readonly string[];
  id: string;
  bundleDir: string;
  /** The exit code becomes file `<exitDir>/<id>`. */
  exitDir: string;
  logPath: string;
  /** A pipe for stdin is kept open for attached clients. */
  hasStdin: boolean;
  /** The pipe stays open when a client that wrote to it leaves. */
  keepsStdinOpen: boolean;
  hasTerminal: boolean;
};

export const PID_FILE = "pidfile";
export const CONMON_PID_FILE = "conmon.pid";
export const CONMON_LOG = "conmon.log";

/** Creating a container takes milliseconds; a machine that swaps may need longer. */
const CREATE_TIMEOUT_MS = 120_000;

const SIGKILL = 9;

const SyncMessage = z.object({ data: z.int(), message: z.string().optional() });

/**
 * Starts conmon, which has the runtime create the container (not yet started).
 * @returns host pid of the container's first process.
 * @throws FlotillaError `internal` whose message is the runtime's own.
 */
export async function createWithConmon(request: ConmonRequest): Promise<number> {
  const message = await readSyncMessage(startConmon(request), request);
  if (message.data > 0) return message.data;
  throw new FlotillaError("internal", message.message?.trim() ?? `the runtime ended with ${message.data} and said nothing`);
}

/** The process that was started goes at once, leaving the one that holds the container. */
type StartedConmon = { pid: number; syncPipe: Socket };

function startConmon(request: ConmonRequest): StartedConmon {
  const log = openSync(join(request.bundleDir, CONMON_LOG), "w", 0o600);
  const { readFd, writeFd } = openPipe();
  const syncPipe = new Socket({ fd: readFd, readable: true, writable: false });
  try {
    const pid = posixSpawn({
      argv: [request.conmonPath, ...conmonArguments(request)],
      cwd: request.bundleDir,
      env: { ...MINIMAL_ENV, _OCI_SYNCPIPE: "3" },
      stdio: ["null", "null", log, writeFd],
    });
    return { pid, syncPipe };
  } catch (error) {
    syncPipe.destroy();
    throw error;
  } finally {
    closeSync(writeFd);
    closeSync(log);
  }
}

function conmonArguments(request: ConmonRequest): string[] {
  return [
    "--api-version=1",
    "--cid",
    request.id,
    "--cuuid",
    request.id,
    "--runtime",
    request.runtimePath,
    ...request.runtimeArgs.map((argument) => `--runtime-arg=${argument}`),
    "--bundle",
    request.bundleDir,
    "--container-pidfile",
    join(request.bundleDir, PID_FILE),
    "--conmon-pidfile",
    join(request.bundleDir, CONMON_PID_FILE),
    "--exit-dir",
    request.exitDir,
    "--log-path",
    `k8s-file:${request.logPath}`,
    "--log-level",
    "warning",
    "--full-attach",
    // The log of a container that ended is as durable as any other write; a sync would only delay the exit code.
    "--no-sync-log",
    ...(request.hasStdin ? ["--stdin"] : []),
    ...(request.keepsStdinOpen ? ["--leave-stdin-open"] : []),
    ...(request.hasTerminal ? ["--terminal"] : []),
  ];
}

function readSyncMessage(conmon: StartedConmon, request: ConmonRequest): Promise<z.output<typeof SyncMessage>> {
  const { pid, syncPipe } = conmon;
  return new Promise((resolve, reject) => {
    let text = "";
    const timer = setTimeout(() => {
      fail(`conmon did not report within ${CREATE_TIMEOUT_MS / 1000} s`);
      kill(pid, SIGKILL);
    }, CREATE_TIMEOUT_MS);
    const settle = (): void => {
      clearTimeout(timer);
      syncPipe.destroy();
    };
    const fail = (reason: string): void => {
      settle();
      reject(new FlotillaError("internal", `create container ${request.id}: ${reason}`));
    };
    // Nobody else takes note of its end; that of the process which holds the container is told by the exit file.
    waitForExit(pid).catch((error: unknown) => fail(String(error)));
    syncPipe.setEncoding("utf8");
    syncPipe.on("data", (chunk: string) => {
      text += chunk;
      if (!text.includes("\n")) return;
      const parsed = SyncMessage.safeParse(parseJson(text.slice(0, text.indexOf("\n"))));
      if (!parsed.success) return fail(`conmon reported ${JSON.stringify(text.slice(0, 500))}`);
      settle();
      resolve(parsed.data);
    });
    syncPipe.on("error", (error) => fail(error.message));
    syncPipe.on("end", () => fail(`conmon ended without a report${text === "" ? "" : `: ${text.slice(0, 500)}`}`));
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
