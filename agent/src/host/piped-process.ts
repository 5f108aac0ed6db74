import { closeSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { openPipe, posixSpawn, waitForExit } from "./posix-spawn.ts";

export type PipedRequest = {
  argv: readonly [string, ...string[]];
  cwd?: string;
  /** Which streams are pipes; the others are /dev/null. */
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
};

export type PipedExit = { exitCode: number };

/** A program whose streams are ours as long as it runs. */
export type PipedProcess = {
  pid: number;
  stdin: Writable | undefined;
  stdout: Readable | undefined;
  stderr: Readable | undefined;
  /** The program has ended; a child that it left may still hold its output. A signal n gives 128 + n, as in a shell. */
  exited: Promise<PipedExit>;
  /** All of its output has been read. */
  closed: Promise<void>;
};

/**
 * Starts a program in a session of its own, never by a shell; a Ctrl-C on the agent's terminal is not for programs in
 * containers. `argv` begins with an absolute path. @throws FlotillaError `internal` when it cannot be started.
 */
export function spawnPiped(request: PipedRequest): PipedProcess {
  const theirs: number[] = [];
  const ours: Socket[] = [];
  const pipeIn = (): { fd: number; stream: Socket } => {
    const { readFd, writeFd } = openPipe();
    theirs.push(readFd);
    return { fd: readFd, stream: keep(new Socket({ fd: writeFd, readable: false, writable: true })) };
  };
  const pipeOut = (): { fd: number; stream: Socket } => {
    const { readFd, writeFd } = openPipe();
    theirs.push(writeFd);
    return { fd: writeFd, stream: keep(new Socket({ fd: readFd, readable: true, writable: false })) };
  };
  const keep = (stream: Socket): Socket => {
    stream.on("error", () => undefined);
    ours.push(stream);
    return stream;
  };
  try {
    const stdin = request.stdin ? pipeIn() : undefined;
    const stdout = request.stdout ? pipeOut() : undefined;
    const stderr = request.stderr ? pipeOut() : undefined;
    // The program does not know of this one; that it is closed says that the program has ended.
    const life = pipeOut();
    const stdio = [stdin?.fd ?? "null", stdout?.fd ?? "null", stderr?.fd ?? "null", life.fd] as const;
    const pid = posixSpawn({ argv: request.argv, cwd: request.cwd ?? "/", stdio });
    const exited = endOf(life.stream).then(async () => ({ exitCode: await waitForExit(pid) }));
    const outputs = [stdout, stderr].flatMap((pipe) => (pipe === undefined ? [] : [endOf(pipe.stream)]));
    const closed = Promise.all([exited, ...outputs]).then(() => void stdin?.stream.destroy());
    life.stream.resume();
    return { pid, stdin: stdin?.stream, stdout: stdout?.stream, stderr: stderr?.stream, exited, closed };
  } catch (error) {
    for (const stream of ours) stream.destroy();
    throw error;
  } finally {
    for (const fd of theirs) closeSync(fd);
  }
}

function endOf(stream: Socket): Promise<void> {
  return new Promise((resolve) => stream.once("close", () => resolve()));
}
