import { closeSync, openSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { openPipe, posixSpawn, waitForExit } from "./posix-spawn.ts";

/** Runs a program with its output in a pipe. */
async function output(argv: readonly [string, ...string[]], options: { cwd?: string; env?: Record<string, string> } = {}) {
  const pipe = openPipe();
  const pid = posixSpawn({
    argv,
    cwd: options.cwd ?? "/",
    ...(options.env && { env: options.env }),
    stdio: ["null", pipe.writeFd, "null"],
  });
  closeSync(pipe.writeFd);
  const stdout = await text(new Socket({ fd: pipe.readFd, readable: true, writable: false }));
  return { pid, stdout, exitCode: await waitForExit(pid) };
}

describe("posixSpawn", () => {
  test("gives arguments, directory and environment as they are", async () => {
    const argv = ["/bin/sh", "-c", 'pwd; echo "$1"; env', "sh", "a  b"] as const;
    const { stdout, exitCode } = await output(argv, { cwd: "/usr", env: { A: "1 2" } });
    expect(stdout.split("\n").slice(0, 2)).toEqual(["/usr", "a  b"]);
    expect(stdout).toContain("A=1 2\n");
    expect(stdout).not.toContain("HOME=");
    expect(exitCode).toBe(0);
  });

  test("tells exit codes, and signals as 128 and their number", async () => {
    expect((await output(["/bin/sh", "-c", "exit 7"])).exitCode).toBe(7);
    expect((await output(["/bin/sh", "-c", "kill -9 $$"])).exitCode).toBe(137);
  });

  test("lets a program open its output again by name", async () => {
    expect((await output(["/bin/sh", "-c", "echo again > /dev/stdout"])).stdout).toBe("again\n");
  });

  test("hands on no other descriptor, no ignored signal and no session", async () => {
    const open = openSync("/etc/hostname", "r");
    const { stdout, pid } = await output(["/bin/sh", "-c", "ls -l /proc/$$/fd; cut -d' ' -f6 /proc/$$/stat"]);
    closeSync(open);
    expect(stdout).not.toContain("/etc/hostname");
    expect(stdout).toMatch(new RegExp(`^${pid}$`, "m"));
    // Of a program that has no child: a shell blocks signals while it waits for one.
    const status = await output(["/bin/cat", "/proc/self/status"]);
    expect(status.stdout).toMatch(/^SigIgn:\t0+$/m);
    expect(status.stdout).toMatch(/^SigBlk:\t0+$/m);
  });

  test("leaves no zombie", async () => {
    const { pid } = await output(["/bin/true"]);
    expect(() => readFileSync(`/proc/${pid}/stat`)).toThrow("ENOENT");
  });

  test("says what cannot be run", () => {
    expect(() => posixSpawn({ argv: ["/no/such/program"], cwd: "/", stdio: ["null"] })).toThrow("run /no/such/program: ENOENT");
    expect(() => posixSpawn({ argv: ["/bin/true"], cwd: "/no/such/directory", stdio: ["null"] })).toThrow("ENOENT");
  });
});
