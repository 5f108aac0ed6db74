import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { FlotillaError, type Logger } from "@flotilla/core";
import type { ConnectionOptions } from "@flotilla/db";
import { findBinaries } from "./find-binaries.ts";
import { PROGRAM_ENVIRONMENT, type ProgramUser, runProgram } from "./run-program.ts";
import { ensureSystemUser } from "./system-user.ts";

// The embedded Postgres: a data directory below the control plane's, one process that listens on a unix socket in that
// directory and nowhere else. The data directory may be below directories that its user cannot pass (a mkdtemp of root):
// Node enters it before it gives up root, and Postgres knows it as /proc/self/cwd, where it stays.

const SUPERUSER = "flotilla";
const DATABASE = "postgres";
const OWN_DIRECTORY = "/proc/self/cwd";
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 25;

export type EmbeddedPostgres = { connection: ConnectionOptions; stop(): Promise<void> };

export type PostgresOptions = {
  /** `$FLOTILLA_DATA/control/postgres` */
  directory: string;
  password: string;
  logger: Logger;
};

/** Starts Postgres on its data, made at the first start. One that a killed control plane left running is ended first. */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const { directory, password, logger } = options;
  const user = await ensureSystemUser();
  const binaries = await findBinaries(user);
  await stopStale(directory, logger);
  if (!existsSync(join(directory, "PG_VERSION"))) await initialise({ directory, password, binaries, user });
  const stale = readPidFile(directory);
  const identity = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  const child = spawn(
    "setpriv",
    [
      ...identity,
      // Should we be killed, the kernel asks Postgres to shut down (prctl(2), PR_SET_PDEATHSIG).
      "--pdeathsig=INT",
      join(binaries, "bin", "postgres"),
      "-D",
      OWN_DIRECTORY,
      "-c",
      "listen_addresses=",
      "-c",
      "unix_socket_directories=.",
      "-c",
      "unix_socket_permissions=0700",
      "-c",
      "max_connections=100",
      "-c",
      "logging_collector=off",
    ],
    // A group of its own: the terminal's Ctrl-C is for us, and we stop Postgres when we no longer need it.
    { cwd: directory, env: { ...PROGRAM_ENVIRONMENT, TZ: "UTC" }, stdio: ["ignore", "ignore", "pipe"], detached: true, shell: false },
  );
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  forwardLog(child, logger);
  await untilReady(child, directory, stale);
  const socket = openSocketDirectory(directory);
  return {
    connection: connectionTo(socket.path, password),
    stop: async () => {
      socket.close();
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
      const timer = setTimeout(() => child.kill("SIGQUIT"), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

function connectionTo(socketDir: string, password: string): ConnectionOptions {
  return { socketDir, user: SUPERUSER, password, database: DATABASE };
}

/** The Postgres of this directory that another process runs, or undefined when none does. `stop` leaves it running. */
export function findRunningPostgres({ directory, password }: Omit<PostgresOptions, "logger">): EmbeddedPostgres | undefined {
  const pid = readPid(directory);
  if (pid === undefined || !isPostgresOf(pid, directory)) return undefined;
  const socket = openSocketDirectory(directory);
  return {
    connection: connectionTo(socket.path, password),
    stop: () => {
      socket.close();
      return Promise.resolve();
    },
  };
}

/** A unix socket's path has at most 107 bytes (unix(7)): a longer one is reached through its directory's descriptor. */
function openSocketDirectory(directory: string): { path: string; close(): void } {
  if (Buffer.byteLength(join(directory, ".s.PGSQL.5432")) <= 107) return { path: directory, close: () => undefined };
  const fd = openSync(directory, "r");
  return { path: `/proc/self/fd/${fd}`, close: () => closeSync(fd) };
}

type Initialise = { directory: string; password: string; binaries: string; user: ProgramUser | undefined };

/** initdb beside, then renamed: a directory of that name is always whole. */
async function initialise({ directory, password, binaries, user }: Initialise): Promise<void> {
  const temporary = `${directory}.new`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true, mode: 0o700 });
  if (user !== undefined) chownSync(temporary, user.uid, user.gid);
  // By a descriptor: the password is never an argument, and initdb may not be able to reach a file by its path.
  const passwordFile = `${temporary}.password`;
  rmSync(passwordFile, { force: true });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user !== undefined) chownSync(passwordFile, user.uid, user.gid);
  const stdinFd = openSync(passwordFile, "r");
  try {
    await runProgram({
      argv: [
        join(binaries, "bin", "initdb"),
        "-D",
        OWN_DIRECTORY,
        "-U",
        SUPERUSER,
        "--encoding=UTF8",
        "--locale=C",
        "--auth=scram-sha-256",
        "--pwfile=/dev/stdin",
        "--no-instructions",
      ],
      user,
      cwd: temporary,
      stdinFd,
    });
  } finally {
    closeSync(stdinFd);
    rmSync(passwordFile, { force: true });
  }
  chmodSync(temporary, 0o700);
  if (existsSync(directory) && readdirSync(directory).length > 0)
    throw new FlotillaError("conflict", `${directory} holds something that is no Postgres data`);
  rmSync(directory, { recursive: true, force: true });
  renameSync(temporary, directory);
}

/** Ends the Postgres named by the pid file, if it is one and works in this very directory. */
async function stopStale(directory: string, logger: Logger): Promise<void> {
  const pid = readPid(directory);
  if (pid === undefined || !isPostgresOf(pid, directory)) return;
  logger.info("ending the Postgres of a control plane that was killed", { pid });
  process.kill(pid, "SIGINT");
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (isPostgresOf(pid, directory)) {
    if (Date.now() > deadline) throw new FlotillaError("conflict", `the Postgres with process id ${pid} does not end`);
    await sleep(POLL_MS);
  }
}

function readPid(directory: string): number | undefined {
  const pid = Number(readPidFile(directory).split("\n")[0]);
  return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
}

function isPostgresOf(pid: number, directory: string): boolean {
  try {
    const where = statSync(`/proc/${pid}/cwd`);
    const here = statSync(directory);
    return (
      where.dev === here.dev &&
      where.ino === here.ino &&
      readlinkSync(`/proc/${pid}/exe`)
        .replace(/ \(deleted\)$/, "")
        .endsWith("/bin/postgres")
    );
  } catch {
    return false;
  }
}

async function untilReady(child: ChildProcess, directory: string, stale: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new FlotillaError("internal", "start Postgres: it ended at once; its log above says why");
    if (child.pid !== undefined && isReady(readPidFile(directory), { pid: child.pid, stale })) return;
    if (Date.now() > deadline) {
      child.kill("SIGQUIT");
      throw new FlotillaError("internal", "start Postgres: it is not ready after a minute");
    }
    await sleep(POLL_MS);
  }
}

/**
 * Whether Postgres says in its pid file, in the eighth line, that it is ready.
 * @param stale what a power failure left in the file: it says "ready" of another, whose process id may be the same, above all in a namespace of process ids.
 */
export function isReady(text: string, { pid, stale }: { pid: number; stale: string }): boolean {
  const [first, , , , , , , status] = text.split("\n");
  return text !== stale && Number(first) === pid && status?.trim() === "ready";
}

function readPidFile(directory: string): string {
  try {
    return readFileSync(join(directory, "postmaster.pid"), "utf8");
  } catch {
    return "";
  }
}

function forwardLog(child: ChildProcess, logger: Logger): void {
  child.stderr?.setEncoding("utf8");
  child.stderr?.on("data", (text: string) => {
    for (const line of text.split("\n").filter((part) => part.trim() !== "")) {
      if (/\b(FATAL|PANIC|ERROR):/.test(line) && !line.includes("due to administrator command")) logger.warn("postgres", { line });
      else logger.debug("postgres", { line });
    }
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
