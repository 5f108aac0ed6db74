// Starting a program by posix_spawn(3). Node's spawn forks, which copies the page tables of this whole process (2 to 5 ms
// of the event loop, and a page fault for every page written afterwards); the C library shares them until the exec
// (0.1 to 0.5 ms). For what stands in the way of a `docker run` or `docker exec`; anything else uses run().
import { getSystemErrorName } from "node:util";
import { FlotillaError } from "@flotilla/core";
import koffi from "koffi";
import { MINIMAL_ENV } from "./run.ts";

const libc = koffi.load("libc.so.6");

const c = {
  spawn: libc.func(
    "int posix_spawn(_Out_ int *pid, const char *path, const void *actions, const void *attributes, const char **argv, const char **envp)",
  ),
  actionsInit: libc.func("int posix_spawn_file_actions_init(void *actions)"),
  actionsDestroy: libc.func("int posix_spawn_file_actions_destroy(void *actions)"),
  addDup2: libc.func("int posix_spawn_file_actions_adddup2(void *actions, int fd, int newfd)"),
  addOpen: libc.func("int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, unsigned int mode)"),
  addChdir: libc.func("int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)"),
  attributesInit: libc.func("int posix_spawnattr_init(void *attributes)"),
  attributesDestroy: libc.func("int posix_spawnattr_destroy(void *attributes)"),
  setFlags: libc.func("int posix_spawnattr_setflags(void *attributes, short flags)"),
  setDefaultSignals: libc.func("int posix_spawnattr_setsigdefault(void *attributes, const void *set)"),
  setSignalMask: libc.func("int posix_spawnattr_setsigmask(void *attributes, const void *set)"),
  pipe2: libc.func("int pipe2(_Out_ int *fds, int flags)"),
  waitpid: libc.func("int waitpid(int pid, _Out_ int *status, int options)"),
} as const;

/** glibc's posix_spawn_file_actions_t has 80 bytes and posix_spawnattr_t 336. */
const STRUCT_BYTES = 512;
/** sigset_t. */
const SIGNAL_SET_BYTES = 128;
/** POSIX_SPAWN_SETSIGDEF | SETSIGMASK | SETSID: Node ignores SIGPIPE, which a program must not inherit. */
const FLAGS = 0x04 | 0x08 | 0x80;
const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;
const WNOHANG = 1;

export type PosixSpawnRequest = {
  /** The first is an absolute path: nothing is searched. */
  argv: readonly [string, ...string[]];
  cwd: string;
  /** Replaces the whole environment; default is PATH and LC_ALL=C. */
  env?: Readonly<Record<string, string>>;
  /** What the program gets as descriptors 0, 1, 2, …: one of ours, or /dev/null. All others of ours are close-on-exec. */
  stdio: readonly (number | "null")[];
};

/**
 * Starts a program in a session of its own and with all signals as by default. The caller closes its own ends, and calls
 * {@link waitForExit}, else the child stays a zombie. @returns its pid. @throws FlotillaError `internal` with `details.errno`.
 */
export function posixSpawn(request: PosixSpawnRequest): number {
  const actions = Buffer.alloc(STRUCT_BYTES);
  const attributes = Buffer.alloc(STRUCT_BYTES);
  check("posix_spawn_file_actions_init", c.actionsInit(actions) as number);
  check("posix_spawnattr_init", c.attributesInit(attributes) as number);
  try {
    check("posix_spawn_file_actions_addchdir_np", c.addChdir(actions, request.cwd) as number);
    for (const [target, source] of request.stdio.entries()) addDescriptor(actions, target, { source, count: request.stdio.length });
    c.setFlags(attributes, FLAGS);
    c.setDefaultSignals(attributes, Buffer.alloc(SIGNAL_SET_BYTES, 0xff));
    c.setSignalMask(attributes, Buffer.alloc(SIGNAL_SET_BYTES));
    const environment = Object.entries(request.env ?? MINIMAL_ENV).map(([name, value]) => `${name}=${value}`);
    const pid = [0];
    const [path] = request.argv;
    check(`run ${path}`, c.spawn(pid, path, actions, attributes, [...request.argv, null], [...environment, null]) as number);
    return pid[0] ?? 0;
  } finally {
    c.actionsDestroy(actions);
    c.attributesDestroy(attributes);
  }
}

function addDescriptor(actions: Buffer, target: number, from: { source: number | "null"; count: number }): void {
  const { source, count } = from;
  if (source === "null") {
    check("posix_spawn_file_actions_addopen", c.addOpen(actions, target, "/dev/null", O_RDWR, 0) as number);
    return;
  }
  // A target that is filled early must not be the source of a later one.
  if (source < count && source !== target) throw new FlotillaError("internal", `descriptor ${source} is too low to be handed on`);
  check("posix_spawn_file_actions_adddup2", c.addDup2(actions, source, target) as number);
}

/** Both ends of a pipe(7), close-on-exec. */
export type Pipe = { readFd: number; writeFd: number };

/** A pipe and not a socket pair, which Node would use: /dev/stdout of a program can be opened again only on a pipe. */
export function openPipe(): Pipe {
  const fds = [0, 0];
  if ((c.pipe2(fds, O_CLOEXEC) as number) < 0) check("pipe2", koffi.errno());
  const [readFd = -1, writeFd = -1] = fds;
  return { readFd, writeFd };
}

/** So long it looks without a pause: what has closed its descriptors is mostly gone within microseconds. */
const EAGER_MS = 1;
/** Longest pause between two looks. */
const MAX_PAUSE_MS = 100;

/**
 * Takes note of the end of a program that {@link posixSpawn} started. It looks again and again, ever more seldom, so it is
 * for a program that is known to be ending: one whose descriptors are closed. @returns exit code; 128 + n for signal n.
 */
export async function waitForExit(pid: number): Promise<number> {
  const eagerUntil = performance.now() + EAGER_MS;
  for (let pauseMs = 1; ;) {
    const status = [0];
    const result = c.waitpid(pid, status, WNOHANG) as number;
    if (result < 0) check(`waitpid ${pid}`, koffi.errno());
    if (result === pid) return exitCodeOf(status[0] ?? 0);
    if (performance.now() < eagerUntil) await new Promise((resolve) => setImmediate(resolve));
    else {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
  }
}

/** WIFEXITED, WEXITSTATUS and WTERMSIG of wait(2). */
function exitCodeOf(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

/** These calls return the error's number. */
function check(call: string, errno: number): void {
  if (errno === 0) return;
  const name = getSystemErrorName(-errno);
  throw new FlotillaError("internal", `${call}: ${name}`, { details: { errno: name } });
}
